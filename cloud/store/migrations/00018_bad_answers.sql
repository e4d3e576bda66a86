-- +goose Up
-- What an instance said last that none says, for an alert that names it.
ALTER TABLE instances ADD COLUMN bad_answer TEXT NOT NULL DEFAULT '';
ALTER TABLE instances ADD COLUMN bad_answer_at BIGINT NOT NULL DEFAULT 0;
