-- +goose Up
-- The secret before the present one, which stays good for a time that was chosen, as JSON.
ALTER TABLE applications ADD COLUMN former_secret TEXT NOT NULL DEFAULT '{}';
-- Whom an application holds tokens for.
DROP INDEX application_tokens_application;
CREATE INDEX application_tokens_application ON application_tokens (environment_id, application_id, user_id);
