-- +goose Up
-- Whether an instance has ever proven itself with a nonce of ours: from then on it has to.
ALTER TABLE instances ADD COLUMN nonced BOOLEAN NOT NULL DEFAULT FALSE;
