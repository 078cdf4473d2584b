-- The log. A capture writes an intake row in its own transaction; one sequencer at a time moves visible intake rows
-- to gapless indexes. The tree is a pure function of log_entry; everything else here can be recomputed from it.

-- A queue: every row is deleted again, so it is swept often and its statistics are never trusted for long.
CREATE TABLE intake (
    event_key bigint PRIMARY KEY,
    leaf      bytea NOT NULL CHECK (octet_length(leaf) BETWEEN 1 AND 65535)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

CREATE TABLE log_entry (
    log_index bigint PRIMARY KEY,
    event_key bigint NOT NULL UNIQUE,
    leaf      bytea NOT NULL
);

CREATE TABLE log_head (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    next_index bigint NOT NULL CHECK (next_index >= 0)
);
INSERT INTO log_head (next_index) VALUES (0);

-- Full tiles only: 256 hashes of 32 bytes. root_hash is their Merkle root, one hash of the tile above, kept beside
-- them so that the unfinished tile above is read without its 8 KB children.
CREATE TABLE log_tile (
    level     smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
    n         bigint NOT NULL CHECK (n >= 0),
    root_hash bytea NOT NULL CHECK (octet_length(root_hash) = 32),
    hashes    bytea NOT NULL CHECK (octet_length(hashes) = 8192),
    PRIMARY KEY (level, n)
);
ALTER TABLE log_tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- Each checkpoint names the size of the one before it (-1: none), and no two may name the same: whoever publishes
-- compares and swaps in one insert, and two publishers can never both succeed.
CREATE TABLE log_checkpoint (
    tree_size     bigint PRIMARY KEY CHECK (tree_size >= 0),
    previous_size bigint NOT NULL UNIQUE CHECK (previous_size < tree_size),
    root_hash     bytea NOT NULL CHECK (octet_length(root_hash) = 32),
    note          text NOT NULL,
    signed_at     timestamptz NOT NULL
);

SELECT protect_append_only('log_entry');
SELECT protect_append_only('log_tile');
SELECT protect_append_only('log_checkpoint');
