-- Batches whose labels carry a pattern. Patterns are derived under a key file and never stored; the batch keeps a
-- fingerprint of that key, so that another key is noticed before it calls labels other ones.
ALTER TABLE code_batch ADD COLUMN pattern_key text NOT NULL DEFAULT '' CHECK (pattern_key ~ '^([0-9a-f]{16})?$');

-- Who makes labels for others, and enrols them.
ALTER TABLE party_role DROP CONSTRAINT party_role_role_check;
ALTER TABLE party_role ADD CONSTRAINT party_role_role_check CHECK (role IN (
    'operator', 'manufacturer', 'brand-owner', 'entrusted-firm', 'laboratory', 'inspector', 'forwarder',
    'carrier', 'customs-broker', 'bonded-warehouse', 'platform', 'seller', 'payment', 'courier',
    'regulator', 'authority', 'label-maker'));

-- That a label was enrolled, by whom, and the event that says so. The newest of a code and track counts; a label that
-- is enrolled again has a new row.
CREATE TABLE label_enrolment (
    enrolment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gtin         text NOT NULL,
    serial       text NOT NULL,
    track        text NOT NULL CHECK (track IN ('A', 'B')),
    method       text NOT NULL,
    -- what the code on the label says, letter by letter
    uri          text NOT NULL,
    party_id     text NOT NULL REFERENCES party,
    event_key    bigint NOT NULL,
    -- keyed digest of the images: the same ones again are no other enrolment
    images       bytea NOT NULL CHECK (octet_length(images) = 16),
    enrolled_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX label_enrolment_code ON label_enrolment (gtin, serial, enrolment_id);

-- What a capture is compared with, and the salt of its digest in the event. Lies apart, so that it can be erased.
CREATE TABLE label_record (
    enrolment_id bigint PRIMARY KEY,
    salt         bytea NOT NULL CHECK (octet_length(salt) = 32),
    record       bytea NOT NULL
);
SELECT protect_append_only('label_enrolment');
SELECT protect_erasable('label_record');

-- A check of a label is a scan too. What it came to in figures stands beside it; the fingerprint tells a capture that
-- is sent twice.
ALTER TABLE scan DROP CONSTRAINT scan_result_check;
ALTER TABLE scan ADD CONSTRAINT scan_result_check CHECK (result IN (
    'seen', 'first', 'repeated', 'wrong', 'not_applicable', 'matches', 'differs', 'unclear'));
CREATE TABLE label_check (
    scan_id      bigint PRIMARY KEY,
    enrolment_id bigint NOT NULL,
    score        double precision NOT NULL,
    threshold    double precision NOT NULL,
    reasons      text[] NOT NULL,
    quality      jsonb NOT NULL,
    fingerprint  bytea NOT NULL
);
SELECT protect_append_only('label_check');

-- Nonces that served their check, under their digest. Each ends within minutes; forgotten after a day.
CREATE TABLE label_nonce (
    digest  bytea PRIMARY KEY CHECK (octet_length(digest) = 16),
    used_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX label_nonce_used ON label_nonce (used_at);

-- Images of checks, only where the deployment's policy keeps them, sealed under a key of their day.
CREATE TABLE label_image (
    scan_id    bigint NOT NULL,
    position   smallint NOT NULL,
    day        date NOT NULL,
    subject_id bytea NOT NULL CHECK (octet_length(subject_id) = 16),
    sealed     bytea NOT NULL,
    PRIMARY KEY (scan_id, position)
);
CREATE INDEX label_image_day ON label_image (day);
SELECT protect_erasable('label_image');
