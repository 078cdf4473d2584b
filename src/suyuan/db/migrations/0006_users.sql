-- People of member firms: their accounts, links, sessions, and what happened to them. Nothing here lets its reader
-- in: passwords are argon2id hashes, links, recovery codes and sessions are digests, TOTP secrets are sealed by a
-- key file.

CREATE TABLE user_account (
    user_id       text PRIMARY KEY,
    user_name     text NOT NULL UNIQUE CHECK (user_name ~ '^[a-z0-9][a-z0-9._-]{1,62}$'),
    party_id      text NOT NULL REFERENCES party,
    role          text NOT NULL CHECK (role IN ('admin', 'worker', 'reader')),
    language      text NOT NULL DEFAULT '' CHECK (language IN ('', 'zh-CN', 'en')),
    password_hash text,
    totp_sealed   bytea,
    -- The last time step whose code was taken: a code counts once.
    totp_step     bigint NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL DEFAULT now(),
    disabled_at   timestamptz
);
CREATE INDEX user_account_party ON user_account (party_id, user_name);

CREATE TABLE user_recovery_code (
    user_id     text NOT NULL REFERENCES user_account,
    code_digest bytea NOT NULL CHECK (octet_length(code_digest) = 32),
    used_at     timestamptz,
    PRIMARY KEY (user_id, code_digest)
);

-- One-time links: "set-up" lets a person choose a password and a second factor, "enter" opens a session.
CREATE TABLE user_link (
    link_digest bytea PRIMARY KEY CHECK (octet_length(link_digest) = 32),
    user_id     text NOT NULL REFERENCES user_account,
    purpose     text NOT NULL CHECK (purpose IN ('set-up', 'enter')),
    -- The second factor that the set-up page shows, until it is confirmed.
    totp_sealed bytea,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);
CREATE INDEX user_link_user ON user_link (user_id);

-- A session is at the stage "password" until its second factor is given, then it ends and another one begins.
CREATE TABLE user_session (
    session_id     text PRIMARY KEY,
    session_digest bytea NOT NULL UNIQUE CHECK (octet_length(session_digest) = 32),
    user_id        text NOT NULL REFERENCES user_account,
    stage          text NOT NULL CHECK (stage IN ('password', 'full')),
    device         text NOT NULL DEFAULT '',
    network        text NOT NULL DEFAULT '',
    totp_sealed    bytea,
    created_at     timestamptz NOT NULL DEFAULT now(),
    seen_at        timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    ended_at       timestamptz
);
CREATE INDEX user_session_user ON user_session (user_id, created_at);

-- Recent attempts to sign in, under keyed digests of the name and the address: what the limits count. Forgotten
-- after a while.
CREATE TABLE sign_in_attempt (
    attempt_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name_key     bytea NOT NULL,
    address_key  bytea NOT NULL,
    attempted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    succeeded    boolean NOT NULL DEFAULT false
);
CREATE INDEX sign_in_attempt_name ON sign_in_attempt (name_key, attempted_at);
CREATE INDEX sign_in_attempt_address ON sign_in_attempt (address_key, attempted_at);
CREATE INDEX sign_in_attempt_time ON sign_in_attempt (attempted_at);

-- From where a name signed in before: failures of others at that address do not hold it up.
CREATE TABLE sign_in_address (
    name_key     bytea NOT NULL,
    address_key  bytea NOT NULL,
    signed_in_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name_key, address_key)
);

-- What happened to accounts. An address is kept as its network alone (IPv4 /24, IPv6 /48), and a name that nobody
-- has is not kept at all: people type passwords into the wrong field.
CREATE TABLE user_act (
    act_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    act         text NOT NULL CHECK (act IN (
        'added', 'link-made', 'link-used', 'signed-in', 'sign-in-failed', 'sign-in-held', 'signed-out',
        'second-factor-failed', 'recovery-code-used', 'password-set', 'second-factor-set', 'recovery-codes-made',
        'session-revoked', 'role-set', 'disabled', 'enabled', 'reset')),
    user_id     text REFERENCES user_account,
    party_id    text REFERENCES party,
    actor_id    text REFERENCES user_account,
    network     text NOT NULL DEFAULT '',
    detail      text NOT NULL DEFAULT '',
    acted_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX user_act_party ON user_act (party_id, act_id);
CREATE INDEX user_act_user ON user_act (user_id, act_id);
SELECT protect_append_only('user_act');
