-- +goose Up
CREATE TABLE applications (
    id               TEXT PRIMARY KEY,
    environment_id   TEXT NOT NULL REFERENCES environments (id),
    name             TEXT NOT NULL,
    name_folded      TEXT NOT NULL,
    description      TEXT NOT NULL,
    type             TEXT NOT NULL,
    enabled          BOOLEAN NOT NULL,
    secret_hash      TEXT NOT NULL,
    redirect_uris    TEXT NOT NULL,
    sign_off_uris    TEXT NOT NULL,
    refresh          BOOLEAN NOT NULL,
    ask_for_ticket   BOOLEAN NOT NULL,
    groups_claim     TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    UNIQUE (environment_id, id),
    UNIQUE (environment_id, name_folded)
);

-- One row for each time that an application sends somebody to sign on. Its code
-- is found again after it was used, so that a second use takes the tokens away.
CREATE TABLE authorizations (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL,
    application_id TEXT NOT NULL,
    request        TEXT NOT NULL,
    user_id        TEXT NOT NULL,
    sign_on_id     TEXT NOT NULL,
    method         TEXT NOT NULL,
    signed_on_at   BIGINT NOT NULL,
    code_hash      TEXT NOT NULL,
    used_at        BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    FOREIGN KEY (environment_id, application_id) REFERENCES applications (environment_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX authorizations_code ON authorizations (code_hash) WHERE code_hash <> '';
CREATE INDEX authorizations_expiry ON authorizations (expires_at);
CREATE INDEX authorizations_application ON authorizations (environment_id, application_id);

-- One row for each access token, with the refresh token that came with it.
CREATE TABLE application_tokens (
    id               TEXT PRIMARY KEY,
    environment_id   TEXT NOT NULL,
    application_id   TEXT NOT NULL,
    user_id          TEXT NOT NULL,
    authorization_id TEXT NOT NULL,
    scopes           TEXT NOT NULL,
    method           TEXT NOT NULL,
    signed_on_at     BIGINT NOT NULL,
    refresh_hash     TEXT NOT NULL,
    refreshed_at     BIGINT NOT NULL,
    access_until     BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    FOREIGN KEY (environment_id, application_id) REFERENCES applications (environment_id, id) ON DELETE CASCADE,
    FOREIGN KEY (environment_id, user_id) REFERENCES users (environment_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX application_tokens_refresh ON application_tokens (refresh_hash) WHERE refresh_hash <> '';
CREATE INDEX application_tokens_authorization ON application_tokens (environment_id, authorization_id);
CREATE INDEX application_tokens_expiry ON application_tokens (expires_at);
CREATE INDEX application_tokens_user ON application_tokens (environment_id, user_id, application_id);
CREATE INDEX application_tokens_application ON application_tokens (environment_id, application_id);

CREATE TABLE signing_keys (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    sealed         TEXT NOT NULL,
    created_at     BIGINT NOT NULL
);
CREATE INDEX signing_keys_environment ON signing_keys (environment_id, created_at, id);
