-- +goose Up
-- How many sign-ons ended how in each hour, and how long they took: what an overview
-- shows, without looking at each. How far it goes is with the environment of it.
CREATE TABLE sign_on_hours (
	environment_id TEXT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
	hour BIGINT NOT NULL,
	outcome TEXT NOT NULL,
	pace INTEGER NOT NULL,
	n BIGINT NOT NULL,
	PRIMARY KEY (environment_id, hour, outcome, pace)
);

CREATE TABLE counted_hours (
	environment_id TEXT NOT NULL PRIMARY KEY REFERENCES environments (id) ON DELETE CASCADE,
	until BIGINT NOT NULL
);
