-- +goose Up
-- A user's groups are found by the primary key, which begins with the user; that a second
-- index began so cost every new membership a third of its writing. No index begins with the
-- environment alone, or it would be taken where nothing is known yet of how much is in it.
DROP INDEX memberships_user;
DROP INDEX memberships_group;
CREATE INDEX memberships_group ON memberships (group_id, user_id, environment_id);
