-- +goose Up
-- The secret before the present one, which stays good for a time that was chosen, as JSON.
ALTER TABLE applications ADD COLUMN former_secret TEXT NOT NULL DEFAULT '{}';
-- Whom an application holds tokens for.
DROP INDEX application_tokens_application;
CREATE INDEX application_tokens_application ON application_tokens (environment_id, application_id, user_id);

-- Where people are signed on. What a browser holds names such a row, and is worth nothing without it.
CREATE TABLE person_sessions (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL,
    user_id        TEXT NOT NULL,
    signed_on      TEXT NOT NULL,
    sign_offs      BIGINT NOT NULL,
    address        TEXT NOT NULL,
    browser        TEXT NOT NULL,
    began_at       BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    FOREIGN KEY (environment_id, user_id) REFERENCES users (environment_id, id) ON DELETE CASCADE
);
CREATE INDEX person_sessions_user ON person_sessions (environment_id, user_id, began_at, id);
CREATE INDEX person_sessions_expiry ON person_sessions (expires_at);
