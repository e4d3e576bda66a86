-- +goose Up
-- The identity provider that somebody signed on through: what came of it ends with it.
ALTER TABLE authorizations ADD COLUMN provider_id TEXT NOT NULL DEFAULT '';
ALTER TABLE application_tokens ADD COLUMN provider_id TEXT NOT NULL DEFAULT '';
