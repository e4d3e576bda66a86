-- +goose Up
-- Whether a user type of the gateway is for certain usernames: sign-ons look at those alone.
ALTER TABLE gateways ADD COLUMN claims BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE gateways SET claims = TRUE WHERE user_types LIKE '%"usernamePatterns":["%';
CREATE INDEX gateways_claims ON gateways (environment_id) WHERE claims;
