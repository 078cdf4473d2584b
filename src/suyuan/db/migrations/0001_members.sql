-- Members of this deployment, what they were granted, their tokens; products and places.

CREATE TABLE party (
    party_id     text PRIMARY KEY CHECK (party_id ~ '^[a-z0-9][a-z0-9-]{1,62}$'),
    name_en      text NOT NULL CHECK (name_en <> ''),
    name_zh      text NOT NULL CHECK (name_zh <> ''),
    gln          text CHECK (gln ~ '^[0-9]{13}$'),
    uscc         text CHECK (uscc ~ '^[0-9A-Z]{18}$'),
    customs_code text CHECK (customs_code ~ '^[0-9A-Z]{10}$'),
    country      text CHECK (country ~ '^[A-Z]{2}$'),
    created_at   timestamptz NOT NULL DEFAULT now()
);

-- A role is granted by the operator and counts from granted_at until revoked_at. The scope names what the
-- grant is for ('' = everything; a GTIN for brand owner, entrusted firm and seller).
CREATE TABLE party_role (
    party_id   text NOT NULL REFERENCES party,
    role       text NOT NULL CHECK (role IN (
        'operator', 'manufacturer', 'brand-owner', 'entrusted-firm', 'laboratory', 'inspector', 'forwarder',
        'carrier', 'customs-broker', 'bonded-warehouse', 'platform', 'seller', 'payment', 'courier',
        'regulator', 'authority')),
    scope      text NOT NULL DEFAULT '',
    granted_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz CHECK (revoked_at >= granted_at),
    PRIMARY KEY (party_id, role, scope, granted_at)
);
-- One open grant of a kind: granting twice is granting once, and a revocation leaves nothing behind it.
CREATE UNIQUE INDEX party_role_open ON party_role (party_id, role, scope) WHERE revoked_at IS NULL;
CREATE INDEX party_role_holders ON party_role (role, scope);

-- Only a digest of a token is kept: who reads this table cannot use what it holds.
CREATE TABLE token (
    token_id     text PRIMARY KEY,
    token_digest bytea NOT NULL UNIQUE CHECK (octet_length(token_digest) = 32),
    party_id     text NOT NULL REFERENCES party,
    scopes       text[] NOT NULL CHECK (cardinality(scopes) > 0),
    label        text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    revoked_at   timestamptz
);
CREATE INDEX token_party ON token (party_id);

-- Master data is versioned by insertion; the newest row of a key counts.
CREATE TABLE product (
    gtin        text NOT NULL CHECK (gtin ~ '^[0-9]{14}$'),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL,
    attributes  jsonb NOT NULL,
    PRIMARY KEY (gtin, recorded_at)
);

CREATE TABLE place (
    uri         text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL,
    attributes  jsonb NOT NULL,
    PRIMARY KEY (uri, recorded_at)
);

SELECT protect_append_only('product');
SELECT protect_append_only('place');
