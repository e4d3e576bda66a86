-- +goose Up
-- What an application speaks, and what it is as a service provider of SAML 2.0, as JSON. Its
-- entity ID is what requests name it by.
ALTER TABLE applications ADD COLUMN protocol TEXT NOT NULL DEFAULT 'OPENID_CONNECT';
ALTER TABLE applications ADD COLUMN saml TEXT NOT NULL DEFAULT '{}';
ALTER TABLE applications ADD COLUMN entity_id TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX applications_entity ON applications (environment_id, entity_id) WHERE entity_id <> '';

-- The key of ours that signs for applications that name none: one of an environment.
ALTER TABLE certificates ADD COLUMN is_default BOOLEAN NOT NULL DEFAULT FALSE;
CREATE UNIQUE INDEX certificates_default ON certificates (environment_id) WHERE is_default;
