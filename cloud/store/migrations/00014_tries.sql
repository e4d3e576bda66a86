-- +goose Up
-- How often what can be guessed was tried of late, for all nodes: of accounts that there
-- are, so that there are never more rows than those.
CREATE TABLE tries (
    key_hash   TEXT PRIMARY KEY,
    tried      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX tries_expiry ON tries (expires_at);
