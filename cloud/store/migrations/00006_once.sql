-- +goose Up
-- Requests that a client may send again without doing them again.
CREATE TABLE once (
    client_id      TEXT NOT NULL,
    key_hash       TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    request        TEXT NOT NULL,
    status         BIGINT NOT NULL,
    body           TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (client_id, key_hash),
    FOREIGN KEY (environment_id, client_id) REFERENCES clients (environment_id, id) ON DELETE CASCADE
);
CREATE INDEX once_created ON once (created_at);
CREATE INDEX once_client ON once (environment_id, client_id);
