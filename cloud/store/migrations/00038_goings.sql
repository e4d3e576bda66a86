-- +goose Up
-- What is decided and goes in many short turns: see goings.go.
CREATE TABLE goings (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    kind           TEXT NOT NULL,
    subjects       TEXT NOT NULL
);
CREATE INDEX goings_environment ON goings (environment_id);

-- Nobody sees those that are on their way.
ALTER TABLE gateways ADD COLUMN going BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE identity_providers ADD COLUMN going BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE applications ADD COLUMN going BOOLEAN NOT NULL DEFAULT FALSE;
