CREATE TEMPORARY TABLE alias_row (
    line     integer NOT NULL,
    code     text NOT NULL,
    thing    text NOT NULL,
    item     text NOT NULL,
    gtin     text NOT NULL,
    serial   text NOT NULL,
    code_key bytea NOT NULL,
    item_key bytea NOT NULL,
    taken    boolean NOT NULL DEFAULT false
) ON COMMIT DROP
