-- +goose Up
-- How an application uses OpenID Connect, as JSON. What is not said is the strictest.
ALTER TABLE applications ADD COLUMN openid TEXT NOT NULL DEFAULT '{}';
-- The APIs that an access token is for (RFC 8707), as JSON.
ALTER TABLE application_tokens ADD COLUMN resources TEXT NOT NULL DEFAULT '[]';
-- Whom to tell when a session ends.
CREATE INDEX authorizations_sign_on ON authorizations (environment_id, sign_on_id) WHERE sign_on_id <> '';
