-- Codes and the acts of issuing: issued, printed, voided, activated. Every other state is computed from events.

CREATE TABLE code_batch (
    batch_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gtin      text NOT NULL,
    lot       text NOT NULL,
    count     integer NOT NULL CHECK (count > 0),
    epoch     text NOT NULL CHECK (length(epoch) = 1),
    label     text NOT NULL DEFAULT '',
    issued_by text NOT NULL REFERENCES party,
    issued_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX code_batch_lot ON code_batch (gtin, lot);

CREATE TABLE code (
    gtin     text NOT NULL,
    serial   text NOT NULL,
    batch_id bigint NOT NULL,
    ordinal  integer NOT NULL,
    PRIMARY KEY (gtin, serial)
);
CREATE INDEX code_batch_order ON code (batch_id, ordinal);

CREATE TABLE code_act (
    act_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    act         text NOT NULL CHECK (act IN ('printed', 'voided', 'activated')),
    gtin        text NOT NULL,
    lot         text NOT NULL,
    ledger_item text NOT NULL DEFAULT '',
    facility    text NOT NULL DEFAULT '',
    count       integer NOT NULL CHECK (count > 0),
    reason      text NOT NULL DEFAULT '',
    party_id    text NOT NULL REFERENCES party,
    acted_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX code_act_lot ON code_act (gtin, lot, act);

CREATE TABLE code_state (
    gtin   text NOT NULL,
    serial text NOT NULL,
    act    text NOT NULL,
    act_id bigint NOT NULL,
    PRIMARY KEY (gtin, serial, act)
);

-- One row for each (lot, ledger item, facility): what an activation locks, so that two commands never share an allowance.
CREATE TABLE activation_lock (
    gtin        text NOT NULL,
    lot         text NOT NULL,
    ledger_item text NOT NULL,
    facility    text NOT NULL,
    PRIMARY KEY (gtin, lot, ledger_item, facility)
);

SELECT protect_append_only('code_batch');
SELECT protect_append_only('code');
SELECT protect_append_only('code_act');
SELECT protect_append_only('code_state');
