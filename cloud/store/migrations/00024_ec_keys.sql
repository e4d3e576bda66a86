-- +goose Up
-- Keys that sign tokens by ES256, beside those of RS256. They have a table of their own: a node
-- of the version before, which runs beside ours for a while, opens every key of the other.
CREATE TABLE ec_signing_keys (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    sealed         TEXT NOT NULL,
    created_at     BIGINT NOT NULL
);
CREATE INDEX ec_signing_keys_environment ON ec_signing_keys (environment_id, created_at, id);
