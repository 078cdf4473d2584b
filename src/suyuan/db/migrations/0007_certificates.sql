-- The certificates that the operator trusts, each as the hand of one party. Who can write here can make signatures
-- count from then on; what was captured before keeps the standing that it was committed with.

CREATE TABLE certificate (
    fingerprint text PRIMARY KEY CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
    party_id    text NOT NULL REFERENCES party,
    certificate bytea NOT NULL,
    -- Hexadecimal without zeros in front: a message may name its certificate by this alone.
    serial      text NOT NULL,
    subject     text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('rsa', 'sm2')),
    -- The operator's word that SHA-1 and RSA keys of 1,024 bits pass for this one.
    legacy      boolean NOT NULL,
    not_before  timestamptz NOT NULL,
    not_after   timestamptz NOT NULL,
    added_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked_at  timestamptz
);
CREATE INDEX certificate_party ON certificate (party_id);
CREATE INDEX certificate_serial ON certificate (serial);
