-- +goose Up
ALTER TABLE gateways ADD COLUMN kerberos TEXT NOT NULL DEFAULT 'null';

CREATE TABLE kerberos_keys (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL,
    gateway_id     TEXT NOT NULL,
    origin         TEXT NOT NULL,
    entries        TEXT NOT NULL,
    sealed         TEXT NOT NULL,
    created_by     TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    FOREIGN KEY (environment_id, gateway_id) REFERENCES gateways (environment_id, id) ON DELETE CASCADE
);
CREATE INDEX kerberos_keys_gateway ON kerberos_keys (environment_id, gateway_id, created_at, id);
