-- +goose Up
-- The portable subset of SQLite and PostgreSQL: times are microseconds since
-- 1970 (0: none), JSON and base64 are TEXT. Every reference between two things
-- carries the environment, so that the database itself refuses to cross it.

CREATE TABLE environments (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE populations (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    name           TEXT NOT NULL,
    name_folded    TEXT NOT NULL,
    description    TEXT NOT NULL,
    is_default     BOOLEAN NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    UNIQUE (environment_id, id),
    UNIQUE (environment_id, name_folded)
);
CREATE UNIQUE INDEX populations_default ON populations (environment_id) WHERE is_default;

CREATE TABLE gateways (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    name           TEXT NOT NULL,
    name_folded    TEXT NOT NULL,
    description    TEXT NOT NULL,
    vendor         TEXT NOT NULL,
    enabled        BOOLEAN NOT NULL,
    declared       TEXT NOT NULL,
    user_types     TEXT NOT NULL,
    revision       BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    UNIQUE (environment_id, id),
    UNIQUE (environment_id, name_folded)
);

CREATE TABLE pairings (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL,
    gateway_id     TEXT NOT NULL,
    code_hash      TEXT NOT NULL UNIQUE,
    created_by     TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    used_at        BIGINT NOT NULL,
    FOREIGN KEY (environment_id, gateway_id) REFERENCES gateways (environment_id, id) ON DELETE CASCADE
);
CREATE INDEX pairings_gateway ON pairings (environment_id, gateway_id, created_at, id);
CREATE INDEX pairings_expiry ON pairings (expires_at);

CREATE TABLE pairing_requests (
    id          TEXT PRIMARY KEY,
    ticket_hash TEXT NOT NULL UNIQUE,
    code_hash   TEXT NOT NULL UNIQUE,
    public_key  TEXT NOT NULL,
    seal_key    TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    hostname    TEXT NOT NULL,
    software    TEXT NOT NULL,
    address     TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    denied      BOOLEAN NOT NULL,
    instance_id TEXT NOT NULL
);
CREATE INDEX pairing_requests_expiry ON pairing_requests (expires_at);

CREATE TABLE instances (
    id               TEXT PRIMARY KEY,
    environment_id   TEXT NOT NULL,
    gateway_id       TEXT NOT NULL,
    public_key       TEXT NOT NULL,
    seal_key         TEXT NOT NULL,
    fingerprint      TEXT NOT NULL,
    hostname         TEXT NOT NULL,
    software         TEXT NOT NULL,
    system           TEXT NOT NULL,
    paired_at        BIGINT NOT NULL,
    paired_by        TEXT NOT NULL,
    paired_from      TEXT NOT NULL,
    revoked_at       BIGINT NOT NULL,
    revoked_by       TEXT NOT NULL,
    policy_hash      TEXT NOT NULL,
    initialized_at   BIGINT NOT NULL,
    last_reported_at BIGINT NOT NULL,
    epoch            BIGINT NOT NULL,
    epoch_before     BIGINT NOT NULL,
    epoch_confirmed  BOOLEAN NOT NULL,
    quarantined_at   BIGINT NOT NULL,
    quarantine       TEXT NOT NULL,
    FOREIGN KEY (environment_id, gateway_id) REFERENCES gateways (environment_id, id) ON DELETE CASCADE
);
CREATE INDEX instances_gateway ON instances (environment_id, gateway_id, paired_at, id);

CREATE TABLE assertions (
    nonce      TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX assertions_expiry ON assertions (expires_at);

CREATE TABLE users (
    id              TEXT PRIMARY KEY,
    environment_id  TEXT NOT NULL REFERENCES environments (id),
    population_id   TEXT NOT NULL,
    username        TEXT NOT NULL,
    username_folded TEXT NOT NULL,
    given_name      TEXT NOT NULL,
    family_name     TEXT NOT NULL,
    email           TEXT NOT NULL,
    email_folded    TEXT NOT NULL,
    external_id     TEXT NOT NULL,
    attributes      TEXT NOT NULL,
    enabled         BOOLEAN NOT NULL,
    gateway_id      TEXT,
    user_type_id    TEXT NOT NULL,
    dn              TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    UNIQUE (environment_id, id),
    UNIQUE (environment_id, username_folded),
    FOREIGN KEY (environment_id, population_id) REFERENCES populations (environment_id, id),
    FOREIGN KEY (environment_id, gateway_id) REFERENCES gateways (environment_id, id)
);
CREATE INDEX users_population ON users (environment_id, population_id, username_folded, id);
CREATE INDEX users_gateway ON users (environment_id, gateway_id, username_folded, id);
CREATE INDEX users_user_type ON users (environment_id, gateway_id, user_type_id, username_folded, id);
CREATE INDEX users_email ON users (environment_id, email_folded);
CREATE INDEX users_external ON users (environment_id, external_id);

CREATE TABLE correlations (
    environment_id TEXT NOT NULL,
    user_id        TEXT NOT NULL,
    position       BIGINT NOT NULL,
    attribute      TEXT NOT NULL,
    attribute_key  TEXT NOT NULL,
    value          TEXT NOT NULL,
    PRIMARY KEY (user_id, position),
    FOREIGN KEY (environment_id, user_id) REFERENCES users (environment_id, id) ON DELETE CASCADE
);
CREATE INDEX correlations_value ON correlations (environment_id, attribute_key, value, user_id);
CREATE INDEX correlations_user ON correlations (environment_id, user_id);

-- "groups" is a reserved word in some engines.
CREATE TABLE cloud_groups (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    population_id  TEXT,
    name           TEXT NOT NULL,
    name_key       TEXT NOT NULL,
    display_name   TEXT NOT NULL,
    display_folded TEXT NOT NULL,
    description    TEXT NOT NULL,
    external_id    TEXT NOT NULL,
    source_type    TEXT NOT NULL,
    source_id      TEXT NOT NULL,
    directory_id   TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    UNIQUE (environment_id, id),
    FOREIGN KEY (environment_id, population_id) REFERENCES populations (environment_id, id)
);
CREATE UNIQUE INDEX groups_name ON cloud_groups (environment_id, source_type, source_id, name_key, directory_id);
CREATE UNIQUE INDEX groups_directory ON cloud_groups (environment_id, source_type, source_id, directory_id) WHERE directory_id <> '';
CREATE INDEX groups_display ON cloud_groups (environment_id, display_folded, id);
CREATE INDEX groups_source ON cloud_groups (environment_id, source_type, source_id, display_folded, id);
CREATE INDEX groups_external ON cloud_groups (environment_id, external_id);
CREATE INDEX groups_population ON cloud_groups (environment_id, population_id);

CREATE TABLE memberships (
    environment_id TEXT NOT NULL,
    user_id        TEXT NOT NULL,
    group_id       TEXT NOT NULL,
    since          BIGINT NOT NULL,
    PRIMARY KEY (user_id, group_id),
    FOREIGN KEY (environment_id, user_id) REFERENCES users (environment_id, id) ON DELETE CASCADE,
    FOREIGN KEY (environment_id, group_id) REFERENCES cloud_groups (environment_id, id) ON DELETE CASCADE
);
CREATE INDEX memberships_group ON memberships (environment_id, group_id, user_id);
CREATE INDEX memberships_user ON memberships (environment_id, user_id);

CREATE TABLE sign_ons (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    at             BIGINT NOT NULL,
    method         TEXT NOT NULL,
    username       TEXT NOT NULL,
    user_id        TEXT NOT NULL,
    gateway_id     TEXT NOT NULL,
    user_type_id   TEXT NOT NULL,
    instance_id    TEXT NOT NULL,
    outcome        TEXT NOT NULL,
    reason         TEXT NOT NULL,
    message        TEXT NOT NULL,
    updated        BOOLEAN NOT NULL,
    update_reason  TEXT NOT NULL,
    verdict        TEXT NOT NULL,
    verdict_reason TEXT NOT NULL,
    added          TEXT NOT NULL,
    removed        TEXT NOT NULL,
    duration       BIGINT NOT NULL,
    address        TEXT NOT NULL
);
CREATE INDEX sign_ons_at ON sign_ons (environment_id, at, id);
CREATE INDEX sign_ons_user ON sign_ons (environment_id, user_id, at, id);
CREATE INDEX sign_ons_ok ON sign_ons (environment_id, user_id, at) WHERE outcome = 'ok';
CREATE INDEX sign_ons_proof ON sign_ons (environment_id, user_id, at) WHERE verdict = 'complete';

CREATE TABLE activities (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    at             BIGINT NOT NULL,
    action         TEXT NOT NULL,
    actor          TEXT NOT NULL,
    subject        TEXT NOT NULL,
    sign_on_id     TEXT NOT NULL,
    text           TEXT NOT NULL,
    detail         TEXT NOT NULL
);
CREATE INDEX activities_at ON activities (environment_id, at, id);
CREATE INDEX activities_action ON activities (environment_id, action, at, id);
CREATE INDEX activities_actor ON activities (environment_id, actor, at, id);
CREATE INDEX activities_subject ON activities (environment_id, subject, at, id);
CREATE INDEX activities_sign_on ON activities (environment_id, sign_on_id, at, id);

CREATE TABLE administrators (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    name           TEXT NOT NULL,
    name_folded    TEXT NOT NULL UNIQUE,
    password_hash  TEXT NOT NULL,
    setup_hash     TEXT NOT NULL,
    created_at     BIGINT NOT NULL
);
CREATE INDEX administrators_environment ON administrators (environment_id, name_folded);

CREATE TABLE clients (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    name           TEXT NOT NULL,
    secret_hash    TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    UNIQUE (environment_id, id)
);

CREATE TABLE tokens (
    hash           TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL,
    client_id      TEXT NOT NULL,
    expires_at     BIGINT NOT NULL,
    FOREIGN KEY (environment_id, client_id) REFERENCES clients (environment_id, id) ON DELETE CASCADE
);
CREATE INDEX tokens_expiry ON tokens (expires_at);
CREATE INDEX tokens_client ON tokens (environment_id, client_id);

CREATE TABLE sessions (
    hash       TEXT PRIMARY KEY,
    data       TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);
