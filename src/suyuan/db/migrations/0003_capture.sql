-- Evidence, events and their index. Heads, index rows and links are immutable; bodies and secrets lie apart,
-- never change either, and can be deleted by the eraser role only.

CREATE TABLE evidence (
    evidence_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    capture_id  text NOT NULL UNIQUE,
    party_id    text NOT NULL REFERENCES party,
    kind        text NOT NULL,
    name        text NOT NULL,
    size        integer NOT NULL,
    digest      bytea NOT NULL CHECK (octet_length(digest) = 32),
    -- keyed digest of party and bytes: the same paper from the same party is one evidence
    identity    bytea NOT NULL UNIQUE CHECK (octet_length(identity) = 16),
    warnings    jsonb NOT NULL DEFAULT '[]',
    received_at timestamptz NOT NULL
);
CREATE INDEX evidence_party ON evidence (party_id, received_at);

CREATE TABLE evidence_body (
    evidence_id bigint PRIMARY KEY,
    salt        bytea NOT NULL,
    skeleton    bytea NOT NULL
);

-- Byte ranges of personal data, sealed for their subject; with the skeleton they give the exact bytes again.
CREATE TABLE evidence_part (
    evidence_id bigint NOT NULL,
    start_at    integer NOT NULL,
    end_at      integer NOT NULL,
    category    text NOT NULL,
    path        text NOT NULL,
    subject_id  bytea NOT NULL,
    sealed      bytea NOT NULL,
    PRIMARY KEY (evidence_id, start_at)
);
CREATE INDEX evidence_part_subject ON evidence_part (subject_id);

CREATE TABLE event (
    event_key         bigint PRIMARY KEY,
    party_id          text NOT NULL REFERENCES party,
    -- the received ID where there was one, else the CBV event hash
    event_id          text NOT NULL,
    received_event_id text,
    event_id_key      bytea NOT NULL CHECK (octet_length(event_id_key) = 16),
    -- empty, or a digest of the error declaration: a declaration repeats its event's ID
    declaration       bytea NOT NULL,
    -- digest of the exact pre-hash text (CBV 2.0): equal content has an equal digest whoever sends it
    content_hash      bytea NOT NULL CHECK (octet_length(content_hash) = 32),
    event_type        smallint NOT NULL,
    action            smallint NOT NULL,
    event_time        timestamptz NOT NULL,
    zone_offset       text NOT NULL,
    day_precision     boolean NOT NULL,
    record_time       timestamptz NOT NULL,
    biz_step          text,
    disposition       text,
    read_point        text,
    biz_location      text,
    assurance         smallint NOT NULL,
    role              text NOT NULL,
    stated_by         text,
    evidence_id       bigint NOT NULL,
    path              text NOT NULL,
    rule              text NOT NULL,
    commitment        bytea NOT NULL CHECK (octet_length(commitment) = 32),
    claim_count       integer NOT NULL
);
CREATE SEQUENCE event_key_seq AS bigint CACHE 1;
CREATE UNIQUE INDEX event_identity ON event (event_id_key, party_id, declaration);
CREATE INDEX event_content ON event (content_hash);
CREATE INDEX event_evidence ON event (evidence_id);

-- Which events a paper gave: also those that were known already.
CREATE TABLE evidence_event (
    evidence_id bigint NOT NULL,
    position    integer NOT NULL,
    event_key   bigint NOT NULL,
    path        text NOT NULL,
    rule        text NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('stored', 'repeat')),
    PRIMARY KEY (evidence_id, position)
);
CREATE INDEX evidence_event_key ON evidence_event (event_key);

CREATE TABLE event_payload (
    event_key bigint PRIMARY KEY,
    body      bytea NOT NULL,
    statement bytea NOT NULL,
    secret    bytea NOT NULL CHECK (octet_length(secret) = 32)
);

-- Long lists lie apart from the body, 256 elements a row, so that one item's trace never reads them.
CREATE TABLE event_list (
    event_key bigint NOT NULL,
    field     text NOT NULL,
    chunk     integer NOT NULL,
    elements  bytea NOT NULL,
    PRIMARY KEY (event_key, field, chunk)
);

-- The claim tree of an event with many claims, in tiles of 256 hashes, so that one claim is proved from three rows.
CREATE TABLE event_claim_tile (
    event_key bigint NOT NULL,
    level     smallint NOT NULL,
    n         integer NOT NULL,
    first     bytea NOT NULL,
    hashes    bytea NOT NULL,
    PRIMARY KEY (event_key, level, n)
);
ALTER TABLE event_claim_tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

CREATE TABLE thing (
    key         bytea PRIMARY KEY CHECK (octet_length(key) = 16),
    uri         text NOT NULL,
    kind        text NOT NULL,
    first_month date NOT NULL
);

-- Months after its first one in which a thing got index rows; a trace probes only these partitions.
CREATE TABLE thing_period (
    key   bytea NOT NULL,
    month date NOT NULL,
    PRIMARY KEY (key, month)
);

-- role: 1 subject, 2 parent, 3 child, 4 input, 5 output, 6 class, 7 document, 8 lot of the subjects, 9 link,
-- 10 document of an event that is about particular goods or a person's parcel.
-- other: the parent of a child, the document to which a link leads; empty where there is none.
-- position: the place in the event's list; of a parent, how many children the event names.
CREATE TABLE thing_event (
    key          bytea NOT NULL,
    record_month date NOT NULL,
    event_time   timestamptz NOT NULL,
    event_key    bigint NOT NULL,
    role         smallint NOT NULL,
    action       smallint NOT NULL,
    other        bytea NOT NULL,
    position     integer NOT NULL
) PARTITION BY RANGE (record_month);
CREATE INDEX thing_event_key ON thing_event (key, role, event_time, event_key);

SELECT protect_append_only('evidence');
SELECT protect_append_only('event');
SELECT protect_append_only('evidence_event');
SELECT protect_append_only('thing');
SELECT protect_append_only('thing_period');
SELECT protect_append_only('thing_event');
SELECT protect_erasable('evidence_body');
SELECT protect_erasable('evidence_part');
SELECT protect_erasable('event_payload');
SELECT protect_erasable('event_list');
SELECT protect_erasable('event_claim_tile');
