-- +goose Up
-- Where people sign on who prove themselves to somebody else: OpenID Connect and SAML.
CREATE TABLE identity_providers (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    name           TEXT NOT NULL,
    name_folded    TEXT NOT NULL,
    description    TEXT NOT NULL,
    type           TEXT NOT NULL,
    enabled        BOOLEAN NOT NULL,
    population_id  TEXT,
    config         TEXT NOT NULL,
    mappings       TEXT NOT NULL,
    sealed         TEXT NOT NULL,
    health         TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    UNIQUE (environment_id, id),
    UNIQUE (environment_id, name_folded),
    FOREIGN KEY (environment_id, population_id) REFERENCES populations (environment_id, id)
);
CREATE INDEX identity_providers_population ON identity_providers (environment_id, population_id);

-- Certificates of others, and, with a sealed private key, our own.
CREATE TABLE certificates (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    name           TEXT NOT NULL,
    usage          TEXT NOT NULL,
    der            TEXT NOT NULL,
    sealed         TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    UNIQUE (environment_id, id)
);
CREATE INDEX certificates_environment ON certificates (environment_id, created_at, id);

-- Which user somebody is whom a provider knows as external_id.
CREATE TABLE linked_accounts (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL,
    provider_id    TEXT NOT NULL,
    user_id        TEXT NOT NULL,
    external_id    TEXT NOT NULL,
    qualifiers     TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    FOREIGN KEY (environment_id, provider_id) REFERENCES identity_providers (environment_id, id) ON DELETE CASCADE,
    FOREIGN KEY (environment_id, user_id) REFERENCES users (environment_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX linked_accounts_external ON linked_accounts (environment_id, provider_id, external_id, qualifiers);
CREATE INDEX linked_accounts_provider ON linked_accounts (environment_id, provider_id, created_at, id);
CREATE INDEX linked_accounts_people ON linked_accounts (environment_id, provider_id, user_id);
CREATE INDEX linked_accounts_user ON linked_accounts (environment_id, user_id, created_at, id);

-- What a proven answer said, until the browser that asked for it comes for it.
CREATE TABLE arrivals (
    key_hash       TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    sealed         TEXT NOT NULL,
    expires_at     BIGINT NOT NULL
);
CREATE INDEX arrivals_expiry ON arrivals (expires_at);

ALTER TABLE sign_ons ADD COLUMN provider_id TEXT NOT NULL DEFAULT '';
CREATE INDEX sign_ons_provider ON sign_ons (environment_id, provider_id, at) WHERE provider_id <> '';

-- Groups are looked for without regard to case, whatever makes two of them one.
ALTER TABLE cloud_groups ADD COLUMN search_key TEXT NOT NULL DEFAULT '';
UPDATE cloud_groups SET search_key = name_key;
DROP INDEX groups_key;
CREATE INDEX groups_key ON cloud_groups (environment_id, search_key, display_folded, id);

-- How somebody proved who they are, in the words of a provider that is trusted with it.
ALTER TABLE authorizations ADD COLUMN methods TEXT NOT NULL DEFAULT '';
ALTER TABLE application_tokens ADD COLUMN methods TEXT NOT NULL DEFAULT '';
