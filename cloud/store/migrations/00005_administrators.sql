-- +goose Up
ALTER TABLE administrators ADD COLUMN role TEXT NOT NULL DEFAULT 'OWNER';
ALTER TABLE administrators ADD COLUMN totp TEXT NOT NULL DEFAULT '';
ALTER TABLE administrators ADD COLUMN totp_step BIGINT NOT NULL DEFAULT 0;
ALTER TABLE clients ADD COLUMN role TEXT NOT NULL DEFAULT 'IDENTITY_ADMIN';
CREATE INDEX clients_environment ON clients (environment_id, created_at, id);
ALTER TABLE environments ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE environments ADD COLUMN logo TEXT NOT NULL DEFAULT '';

CREATE TABLE passkeys (
    id               TEXT PRIMARY KEY,
    environment_id   TEXT NOT NULL REFERENCES environments (id),
    administrator_id TEXT NOT NULL REFERENCES administrators (id) ON DELETE CASCADE,
    name             TEXT NOT NULL,
    credential       TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    used_at          BIGINT NOT NULL
);
CREATE INDEX passkeys_administrator ON passkeys (administrator_id, created_at, id);

-- Members of these groups may open the console.
CREATE TABLE role_groups (
    environment_id TEXT NOT NULL,
    group_id       TEXT NOT NULL,
    role           TEXT NOT NULL,
    PRIMARY KEY (environment_id, group_id),
    FOREIGN KEY (environment_id, group_id) REFERENCES cloud_groups (environment_id, id) ON DELETE CASCADE
);
