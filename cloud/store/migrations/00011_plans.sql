-- +goose Up
-- Signing a person off everywhere looks for what they have begun by the person.
CREATE INDEX authorizations_user ON authorizations (environment_id, user_id);
