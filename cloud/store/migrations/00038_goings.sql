-- +goose Up
-- What is decided and goes in many short turns: see goings.go.
CREATE TABLE goings (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    kind           TEXT NOT NULL,
    subjects       TEXT NOT NULL
);
CREATE INDEX goings_environment ON goings (environment_id);
