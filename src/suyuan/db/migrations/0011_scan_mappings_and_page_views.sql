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

-- How often people opened an item's page, by day (in China). A count, no record of anybody: views are added up in a
-- process and brought here every few seconds, so a crash may lose some. Days are forgotten after two years.
CREATE TABLE page_view (
    gtin   text NOT NULL,
    serial text NOT NULL,
    day    date NOT NULL,
    views  integer NOT NULL CHECK (views > 0),
    PRIMARY KEY (gtin, serial, day)
);
CREATE INDEX page_view_day ON page_view USING brin (day);
