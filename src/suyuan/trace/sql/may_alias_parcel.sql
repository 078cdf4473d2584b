-- Whether the party that says that one parcel has two waybill numbers issued one of them or moved the parcel under
-- one of them: it spoke of it itself, in a role that moves parcels, within the time in which a number is not used
-- again. Anybody else's word must not merge two people's parcels.
SELECT EXISTS (
    SELECT FROM event AS said
    JOIN thing_event AS i ON i.key = ANY ($2::bytea[]) AND i.role IN (1, 2, 3, 7)
    JOIN event AS e ON e.event_key = i.event_key AND e.party_id = said.party_id
    WHERE said.event_key = $1
      AND said.role IN ('courier', 'carrier', 'forwarder', 'bonded-warehouse')
      AND e.role IN ('courier', 'carrier', 'forwarder', 'bonded-warehouse')
      AND e.stated_by IS NULL
      AND e.biz_step IS DISTINCT FROM 'urn:suyuan:bizstep:aliasing'
      AND e.event_time BETWEEN $3 AND $4
      AND e.declaration = ''::bytea
      AND NOT EXISTS (
          SELECT FROM event AS d
          WHERE d.event_id_key = e.event_id_key AND d.party_id = e.party_id AND d.declaration <> ''::bytea
      )
)
