-- +goose Up
-- How far what happened in an environment was told to a system outside. A node that tells
-- holds the row until next_at.
CREATE TABLE audit_marks (
    target         TEXT NOT NULL,
    environment_id TEXT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    at             BIGINT NOT NULL,
    activity_id    TEXT NOT NULL,
    next_at        BIGINT NOT NULL,
    PRIMARY KEY (environment_id, target)
);
