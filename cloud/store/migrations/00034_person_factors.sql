-- +goose Up
-- By what people prove who they are beside their password: person_factors has their one-time
-- passwords, and these are their passkeys and the codes for who has lost both.
CREATE TABLE person_passkeys (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL,
    user_id        TEXT NOT NULL,
    name           TEXT NOT NULL,
    credential     TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    used_at        BIGINT NOT NULL,
    FOREIGN KEY (environment_id, user_id) REFERENCES users (environment_id, id) ON DELETE CASCADE
);
CREATE INDEX person_passkeys_user ON person_passkeys (environment_id, user_id, created_at, id);

CREATE TABLE person_recovery_codes (
    environment_id TEXT NOT NULL,
    user_id        TEXT NOT NULL,
    code_hash      TEXT NOT NULL,
    used_at        BIGINT NOT NULL,
    PRIMARY KEY (environment_id, user_id, code_hash),
    FOREIGN KEY (environment_id, user_id) REFERENCES users (environment_id, id) ON DELETE CASCADE
);

-- What was proven beside the first; empty: nothing was.
ALTER TABLE authorizations ADD COLUMN factor TEXT NOT NULL DEFAULT '';
ALTER TABLE application_tokens ADD COLUMN factor TEXT NOT NULL DEFAULT '';
