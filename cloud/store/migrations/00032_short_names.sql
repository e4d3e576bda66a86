-- +goose Up
-- The short name of an environment in addresses for people; empty: it has none.
ALTER TABLE environments ADD COLUMN short_name TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX environments_by_short_name ON environments (short_name) WHERE short_name <> '';
