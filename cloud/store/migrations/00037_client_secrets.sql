-- +goose Up
-- The secret of an API client before its present one, and until when it is good besides; as JSON.
ALTER TABLE clients ADD COLUMN former_secret TEXT NOT NULL DEFAULT '{}';
