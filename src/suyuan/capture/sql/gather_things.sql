-- The things of one long paper, until they are made known at its end in the order of their keys.
CREATE TEMPORARY TABLE gathered_thing (key bytea, uri text, kind text) ON COMMIT DROP
