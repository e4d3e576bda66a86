-- +goose Up
-- Codes by which an administrator gets in who has lost the second factor. One that was used
-- stays, so that it can be told how many there were.
CREATE TABLE recovery_codes (
    administrator_id TEXT NOT NULL REFERENCES administrators (id) ON DELETE CASCADE,
    code_hash        TEXT NOT NULL,
    used_at          BIGINT NOT NULL,
    PRIMARY KEY (administrator_id, code_hash)
);
-- When a one-time set-up secret ends; 0: it does not.
ALTER TABLE administrators ADD COLUMN setup_until BIGINT NOT NULL DEFAULT 0;
