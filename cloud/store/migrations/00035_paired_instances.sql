-- +goose Up
-- Who was paired by a code; empty: nobody, or it was before.
ALTER TABLE pairings ADD COLUMN instance_id TEXT NOT NULL DEFAULT '';
