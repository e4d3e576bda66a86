-- +goose Up
ALTER TABLE memberships ADD COLUMN stamp TEXT NOT NULL DEFAULT '';
ALTER TABLE memberships ADD COLUMN doubt TEXT NOT NULL DEFAULT '';
ALTER TABLE memberships ADD COLUMN doubted_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX memberships_doubt ON memberships (environment_id, group_id) WHERE doubt <> '';
