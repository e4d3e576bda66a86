-- +goose Up
ALTER TABLE instances ADD COLUMN policy_changed_at BIGINT NOT NULL DEFAULT 0;

CREATE TABLE alert_channels (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    kind           TEXT NOT NULL,
    target         TEXT NOT NULL,
    sealed         TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    UNIQUE (environment_id, kind, target)
);

-- What is wrong now, or was until lately.
CREATE TABLE alerts (
    environment_id TEXT NOT NULL REFERENCES environments (id),
    alert_key      TEXT NOT NULL,
    code           TEXT NOT NULL,
    gateway_id     TEXT NOT NULL,
    text           TEXT NOT NULL,
    remedy         TEXT NOT NULL,
    since          BIGINT NOT NULL,
    seen_at        BIGINT NOT NULL,
    ended_at       BIGINT NOT NULL,
    quiet_until    BIGINT NOT NULL,
    PRIMARY KEY (environment_id, alert_key)
);

-- What a channel was told of an alert.
CREATE TABLE alert_tellings (
    environment_id TEXT NOT NULL,
    alert_key      TEXT NOT NULL,
    channel_id     TEXT NOT NULL REFERENCES alert_channels (id) ON DELETE CASCADE,
    told           TEXT NOT NULL,
    next_at        BIGINT NOT NULL,
    failures       BIGINT NOT NULL,
    problem        TEXT NOT NULL,
    PRIMARY KEY (environment_id, alert_key, channel_id),
    FOREIGN KEY (environment_id, alert_key) REFERENCES alerts (environment_id, alert_key) ON DELETE CASCADE
);
CREATE INDEX alert_tellings_channel ON alert_tellings (channel_id);
