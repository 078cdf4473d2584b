-- In the order of the identities, so that groups wait for each other in one order. A paper for which no row comes
-- back was sent before by the same party.
WITH given AS (
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::bytea[], $7::bytea[], $8::text[],
        $10::bytea[], $11::bytea[]
    ) AS g (capture_id, party_id, kind, name, size, digest, identity, warnings, salt, skeleton)
), added AS (
    INSERT INTO evidence (capture_id, party_id, kind, name, size, digest, identity, warnings, received_at)
    SELECT capture_id, party_id, kind, name, size, digest, identity, warnings::jsonb, $9
    FROM given ORDER BY identity
    ON CONFLICT (identity) DO NOTHING
    RETURNING evidence_id, identity
), kept AS (
    INSERT INTO evidence_body (evidence_id, salt, skeleton)
    SELECT added.evidence_id, given.salt, given.skeleton FROM added JOIN given USING (identity)
)
SELECT evidence_id, identity FROM added
