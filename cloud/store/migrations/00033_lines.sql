-- +goose Up
-- What activities say of a sign-on that has no row among them; empty: it has one.
ALTER TABLE sign_ons ADD COLUMN line TEXT NOT NULL DEFAULT '';
