-- +goose Up
-- What compatible clients say of a thing beyond what it is here, and are told again.
ALTER TABLE environments ADD COLUMN kept TEXT NOT NULL DEFAULT '{}';
ALTER TABLE populations ADD COLUMN kept TEXT NOT NULL DEFAULT '{}';
ALTER TABLE cloud_groups ADD COLUMN kept TEXT NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN kept TEXT NOT NULL DEFAULT '{}';
ALTER TABLE applications ADD COLUMN kept TEXT NOT NULL DEFAULT '{}';

-- An account that is locked cannot be used, whether or not it is enabled.
ALTER TABLE users ADD COLUMN locked BOOLEAN NOT NULL DEFAULT FALSE;

-- The secret itself, sealed, for those who may read it; empty: only its hash was kept.
ALTER TABLE applications ADD COLUMN secret_sealed TEXT NOT NULL DEFAULT '';

-- The environment whose owners made this one, and are its owners; empty: none.
ALTER TABLE environments ADD COLUMN parent_id TEXT NOT NULL DEFAULT '';
CREATE INDEX environments_parent ON environments (parent_id, id);
CREATE INDEX arrivals_environment ON arrivals (environment_id);
CREATE INDEX passkeys_environment ON passkeys (environment_id);

-- In which order people are looked for, by name. What the default one says of gateways
-- is in the environment's settings.
CREATE TABLE sign_on_policies (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    name           TEXT NOT NULL,
    name_folded    TEXT NOT NULL,
    description    TEXT NOT NULL,
    is_default     BOOLEAN NOT NULL,
    blank          TEXT NOT NULL,
    actions        TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    UNIQUE (environment_id, id),
    UNIQUE (environment_id, name_folded)
);
CREATE UNIQUE INDEX sign_on_policies_default ON sign_on_policies (environment_id) WHERE is_default;

UPDATE gateways SET vendor = 'OpenDJ Directory Server' WHERE vendor = 'OpenDJ Directory';
UPDATE gateways SET vendor = 'LDAPv3-compliant Directory Server' WHERE vendor = 'LDAP v3 compliant Directory Server';

INSERT INTO sign_on_policies (id, environment_id, name, name_folded, description, is_default, blank, actions, created_at, updated_at)
SELECT id, id, 'Default', 'default', '', TRUE, '[]', '[]', created_at, created_at FROM environments;
