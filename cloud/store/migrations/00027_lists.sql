-- +goose Up
-- Who may not sign on, in the order of the lists.
CREATE INDEX users_disabled ON users (environment_id, username_folded, id) WHERE NOT enabled;
CREATE INDEX users_locked ON users (environment_id, username_folded, id) WHERE locked;
