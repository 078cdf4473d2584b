-- Batches whose labels carry a second code under a layer to scratch off. The codes are derived under a key file and
-- never stored; the batch keeps a fingerprint of that key, so that another key is noticed before it calls codes wrong.
ALTER TABLE code_batch ADD COLUMN scratch_key text NOT NULL DEFAULT '' CHECK (scratch_key ~ '^([0-9a-f]{16})?$');

-- What a look at a code was and what it came to. No address, no device: place is a coarse one that the caller named.
-- score says how much speaks for a second label with the same code, from 0 to 100.
CREATE TABLE scan (
    scan_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gtin       text NOT NULL,
    serial     text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('page', 'scratch', 'label')),
    result     text NOT NULL CHECK (result IN ('seen', 'first', 'repeated', 'wrong', 'not_applicable')),
    score      smallint NOT NULL DEFAULT 0 CHECK (score BETWEEN 0 AND 100),
    place      text NOT NULL DEFAULT '',
    scanned_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX scan_code ON scan (gtin, serial, scanned_at);
-- A code is verified for the first time once, whatever arrives at the same moment.
CREATE UNIQUE INDEX scan_first ON scan (gtin, serial) WHERE kind = 'scratch' AND result = 'first';
SELECT protect_append_only('scan');

-- Tries at scratch codes in windows of a quarter of an hour, under keyed digests of code and address. Forgotten after
-- a day, so this one is not append-only.
CREATE TABLE scan_attempt (
    subject bytea NOT NULL CHECK (octet_length(subject) = 16),
    since   timestamptz NOT NULL,
    count   integer NOT NULL,
    PRIMARY KEY (subject, since)
);
CREATE INDEX scan_attempt_since ON scan_attempt (since);
