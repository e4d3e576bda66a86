-- +goose Up
-- How often somebody was signed off everywhere: sessions that began before are over.
ALTER TABLE users ADD COLUMN sign_offs BIGINT NOT NULL DEFAULT 0;

-- The second factor of people whose groups give them a role in the console.
CREATE TABLE person_factors (
    user_id        TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL,
    totp           TEXT NOT NULL,
    totp_step      BIGINT NOT NULL,
    FOREIGN KEY (environment_id, user_id) REFERENCES users (environment_id, id) ON DELETE CASCADE
);
