-- +goose Up
-- What is filtered by equality comes out of the index in the order of the list.
DROP INDEX users_email;
DROP INDEX users_external;
DROP INDEX groups_external;
CREATE INDEX users_email ON users (environment_id, email_folded, username_folded, id);
CREATE INDEX users_external ON users (environment_id, external_id, username_folded, id);
CREATE INDEX groups_external ON cloud_groups (environment_id, external_id, display_folded, id);
CREATE INDEX groups_key ON cloud_groups (environment_id, name_key, display_folded, id);
CREATE INDEX sign_ons_proven ON sign_ons (environment_id, at, user_id) WHERE verdict = 'complete';
