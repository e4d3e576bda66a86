-- +goose Up
-- How often settings were changed: what a node has in memory of them is good for as long
-- as this is the same.
CREATE TABLE revisions (
    id       BIGINT PRIMARY KEY,
    settings BIGINT NOT NULL
);
INSERT INTO revisions (id, settings) VALUES (1, 1);
