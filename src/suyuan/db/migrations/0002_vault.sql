-- Personal data, sealed per subject. Deleting a subject's key makes every sealed row of it unreadable.

CREATE TABLE vault_subject (
    subject_id  bytea PRIMARY KEY CHECK (octet_length(subject_id) = 16),
    wrapped_key bytea NOT NULL,
    -- when the row was written, not when its transaction began: a replayed erasure spares what came after it
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The number behind a pseudonym, sealed.
CREATE TABLE vault_number (
    pseudonym  text PRIMARY KEY CHECK (pseudonym LIKE 'urn:suyuan:%'),
    subject_id bytea NOT NULL,
    sealed     bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX vault_number_subject ON vault_number (subject_id);

-- Each reveal of personal data, with its reason. Never deleted.
CREATE TABLE vault_reveal (
    reveal_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id  bytea NOT NULL,
    party_id    text NOT NULL,
    reason      text NOT NULL CHECK (reason <> ''),
    revealed_at timestamptz NOT NULL DEFAULT now()
);

-- What was erased is journalled before it is erased; a restore from a backup replays this table.
CREATE TABLE erasure_journal (
    erasure_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('subject', 'event', 'evidence')),
    reference  text NOT NULL,
    party_id   text NOT NULL,
    reason     text NOT NULL CHECK (reason <> ''),
    erased_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- An entry that a restore brings in from the journal's copy is known already if all of it is the same.
CREATE UNIQUE INDEX erasure_journal_entry ON erasure_journal (kind, reference, erased_at);

SELECT protect_append_only('vault_reveal');
SELECT protect_append_only('erasure_journal');
SELECT protect_erasable('vault_subject');
SELECT protect_erasable('vault_number');
-- Erasing deletes what the journal names and nothing else.
GRANT SELECT ON erasure_journal TO suyuan_eraser;
