-- How a party's own scans are read: the mapping that it stored once, every version of it. A version without text says
-- that the party took the mapping back. What was read by a version carries that version in its evidence.
CREATE TABLE scan_mapping (
    party_id text NOT NULL REFERENCES party,
    name     text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    version  integer NOT NULL CHECK (version > 0),
    text     text CHECK (octet_length(text) <= 65536),
    added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (party_id, name, version)
);
SELECT protect_append_only('scan_mapping');
