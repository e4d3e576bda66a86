-- +goose Up
-- What a node writes to see whether it can.
CREATE TABLE probes (
    id     BIGINT PRIMARY KEY,
    at     BIGINT NOT NULL,
    filler TEXT NOT NULL
);
