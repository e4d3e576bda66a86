-- +goose Up
CREATE TABLE acme (
    name   TEXT PRIMARY KEY,
    sealed TEXT NOT NULL
);
