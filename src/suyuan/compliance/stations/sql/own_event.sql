-- An act of this party by its event's ID, and whether the party took it back. An event that the party sent through
-- another door under such an ID is no act: it is neither answered for nor taken back here.
SELECT e.event_key, e.zone_offset, p.body,
       EXISTS (
           SELECT FROM event AS d
           WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
       ) AS withdrawn
FROM event AS e
JOIN event_payload AS p ON p.event_key = e.event_key
WHERE e.event_id_key = $1 AND e.party_id = $2 AND e.declaration = ''::bytea AND e.rule LIKE 'station/%'
