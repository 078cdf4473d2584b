-- A portion of the crowd: bench.count items from number bench.first on, in cases of 24 on pallets of 48 cases; a
-- fifth of them sold, two to a parcel, with three scans and its order, payment, list and exit list.
-- Left out: the long lists and claim tiles of commissioning events, which reading another item never touches.
CREATE TEMP TABLE crowd ON COMMIT DROP AS
WITH given AS (
    SELECT current_setting('bench.first')::bigint AS first, current_setting('bench.count')::bigint AS count
), item AS (
    SELECT i, i - first AS n, count,
           'https://id.gs1.org/01/08710000001236' AS class,
           'https://id.gs1.org/01/08710000001236/21/1' || upper(substr(md5('item' || i), 1, 19)) AS uri,
           'https://id.gs1.org/01/18710000001233' AS case_class,
           'https://id.gs1.org/01/18710000001233/21/B' || i / 24 AS case_uri,
           'https://id.gs1.org/00/08710001' AS pallet_class,
           'https://id.gs1.org/00/08710001' || lpad((i / 1152)::text, 10, '0') AS pallet_uri,
           'urn:suyuan:waybill' AS parcel_class,
           'urn:suyuan:waybill:' || md5('parcel' || i / 2) AS parcel_uri,
           (i / 2) % 5 = 0 AS sold
    FROM given, generate_series(first, first + count - 1) AS i
), row (event, kind, class, uri, role, action, other_class, other_uri, position) AS (
    -- event: a number that is unique in the portion, made of the act and the thing that it is done to
    SELECT i / 500 * 16, 1, class, uri, 1, 1, NULL, NULL, i % 500 FROM item
    UNION ALL SELECT DISTINCT i / 500 * 16, 1, class, class || '/10/L' || i / 43200, 8, 1, NULL, NULL, 0 FROM item
    UNION ALL SELECT i / 24 * 16 + 1, 2, class, uri, 3, 1, case_class, case_uri, i % 24 FROM item
    UNION ALL SELECT i / 24 * 16 + 1, 2, case_class, case_uri, 2, 1, NULL, NULL, 24 FROM item WHERE i % 24 = 0
    UNION ALL SELECT i / 24 * 16 + 2, 2, class, uri, 3, 3, case_class, case_uri, i % 24 FROM item
    UNION ALL SELECT i / 24 * 16 + 2, 2, case_class, case_uri, 2, 3, NULL, NULL, 24 FROM item WHERE i % 24 = 0
    UNION ALL SELECT i / 1152 * 16 + 3, 2, case_class, case_uri, 3, 1, pallet_class, pallet_uri, i / 24 % 48
              FROM item WHERE i % 24 = 0
    UNION ALL SELECT i / 1152 * 16 + 3, 2, pallet_class, pallet_uri, 2, 1, NULL, NULL, 48 FROM item WHERE i % 1152 = 0
    UNION ALL SELECT i / 1152 * 16 + 4 + act, 1, pallet_class, pallet_uri, 1, 2, NULL, NULL, 0
              FROM item, generate_series(0, 3) AS act WHERE i % 1152 = 0
    UNION ALL SELECT i / 2 * 16 + 8, 2, class, uri, 3, 1, parcel_class, parcel_uri, i % 2 FROM item WHERE sold
    UNION ALL SELECT i / 2 * 16 + 8, 2, parcel_class, parcel_uri, 2, 1, NULL, NULL, 2 FROM item WHERE sold AND i % 2 = 0
    UNION ALL SELECT i / 2 * 16 + 9 + act, 1, parcel_class, parcel_uri, 1, 2, NULL, NULL, 0
              FROM item, generate_series(0, 2) AS act WHERE sold AND i % 2 = 0
    UNION ALL SELECT i / 2 * 16 + 12, 1, parcel_class, parcel_uri, 1, 2, NULL, NULL, 0 FROM item WHERE sold AND i % 2 = 0
    UNION ALL SELECT i / 2 * 16 + 12, 1, 'urn:suyuan:' || paper, 'urn:suyuan:' || paper || ':' || md5(paper || i / 2),
                     7, 2, NULL, NULL, 0
              FROM item, unnest(ARRAY['order', 'payment', 'parcel-list']) AS paper WHERE sold AND i % 2 = 0
    UNION ALL SELECT i / 2 * 16 + 12, 1, parcel_class, parcel_uri, 9, 2, 'urn:suyuan:order',
                     'urn:suyuan:order:' || md5('order' || i / 2), 0
              FROM item WHERE sold AND i % 2 = 0
)
SELECT dense_rank() OVER (ORDER BY event) AS ordinal, event, kind, role, action, position, uri,
       substring(sha256(convert_to(class, 'UTF8')) FOR 6) || substring(sha256(convert_to(uri, 'UTF8')) FOR 10) AS key,
       coalesce(substring(sha256(convert_to(other_class, 'UTF8')) FOR 6)
                || substring(sha256(convert_to(other_uri, 'UTF8')) FOR 10), ''::bytea) AS other
FROM row;

CREATE TEMP TABLE crowd_event ON COMMIT DROP AS
SELECT ordinal, min(kind) AS kind, min(action) AS action, count(*) AS rows, min(uri) AS uri,
       sha256(convert_to(current_setting('bench.first') || '/' || ordinal, 'UTF8')) AS hash,
       now() - interval '60 days' + make_interval(mins => (min(event) % 60000)::integer) AS event_time, 0::bigint AS event_key
FROM crowd GROUP BY ordinal;

-- The counter is moved on by as many keys as the portion has events, so that no capture gets one of them.
CREATE TEMP TABLE crowd_base ON COMMIT DROP AS
SELECT nextval('event_key_seq') AS base, (SELECT count(*) FROM crowd_event) AS events;
SELECT setval('event_key_seq', base + events) FROM crowd_base;

INSERT INTO evidence (capture_id, party_id, kind, name, size, digest, identity, received_at)
SELECT 'crowd-' || current_setting('bench.first'), 'bench-maker', 'bench/crowd', '',
       (current_setting('bench.first')::bigint + current_setting('bench.count')::bigint)::integer,
       sha256(convert_to(current_setting('bench.first'), 'UTF8')),
       substring(sha256(convert_to('crowd' || current_setting('bench.first'), 'UTF8')) FOR 16), now();

INSERT INTO thing (key, uri, kind, first_month)
SELECT DISTINCT ON (key) key, uri,
       CASE WHEN uri LIKE 'https://id.gs1.org/01/%/21/%' THEN 'item' WHEN uri LIKE 'https://id.gs1.org/00/%' THEN 'sscc'
            WHEN uri LIKE '%/10/%' THEN 'lot' WHEN uri LIKE 'urn:suyuan:waybill:%' THEN 'parcel'
            ELSE split_part(uri, ':', 3) END,
       date_trunc('month', now() AT TIME ZONE 'UTC')::date
FROM crowd ORDER BY key
ON CONFLICT (key) DO NOTHING;

INSERT INTO event
SELECT base + ordinal, 'bench-maker', 'ni:///sha-256;' || encode(hash, 'hex') || '?ver=CBV2.0', NULL,
       substring(sha256(hash) FOR 16), ''::bytea, hash, kind, action, event_time, '+08:00', false, now(),
       'https://ref.gs1.org/cbv/BizStep-packing', 'https://ref.gs1.org/cbv/Disp-in_progress',
       'urn:suyuan:place:CNNSA:5165', 'urn:suyuan:place:CNNSA:5165', 1, 'brand-owner', NULL,
       currval(pg_get_serial_sequence('evidence', 'evidence_id')), '$.epcisBody.eventList[' || ordinal || ']', '',
       sha256(hash || '\x01'::bytea), 16
FROM crowd_event, crowd_base;

INSERT INTO evidence_event (evidence_id, position, event_key, path, rule, outcome)
SELECT currval(pg_get_serial_sequence('evidence', 'evidence_id')), ordinal, base + ordinal,
       '$.epcisBody.eventList[' || ordinal || ']', '', 'stored'
FROM crowd_event, crowd_base;

-- A body of the length that such an event has.
INSERT INTO event_payload (event_key, body, statement, secret)
SELECT base + ordinal,
       convert_to('{"action":"OBSERVE","bizLocation":{"id":"urn:suyuan:place:CNNSA:5165"},"bizStep":'
                  || '"https://ref.gs1.org/cbv/BizStep-packing","epcList":["' || uri
                  || repeat('","https://id.gs1.org/01/08710000001236/21/1' || substr(encode(hash, 'hex'), 1, 19),
                            least(rows, 25)::integer - 1)
                  || '"],"eventTime":"2026-03-01T00:00:00.000Z","eventTimeZoneOffset":"+08:00","type":"ObjectEvent"}',
                  'UTF8'),
       convert_to('{"assurance":"self-declared","deliveredAs":"EPCIS/JSON","eventID":"ni:///sha-256;'
                  || encode(hash, 'hex') || '?ver=CBV2.0","party":"bench-maker","partyRole":"brand-owner"}', 'UTF8'),
       sha256(hash || '\x02'::bytea)
FROM crowd_event, crowd_base;

INSERT INTO thing_event (key, record_month, event_time, event_key, role, action, other, position)
SELECT crowd.key, date_trunc('month', now() AT TIME ZONE 'UTC')::date, crowd_event.event_time,
       base + crowd.ordinal, crowd.role, crowd.action, crowd.other, crowd.position
FROM crowd JOIN crowd_event USING (ordinal), crowd_base
ORDER BY crowd.key;

-- Straight into the log: the next indexes, under the lock that the sequencer takes.
WITH head AS (SELECT next_index FROM log_head FOR UPDATE)
INSERT INTO log_entry (log_index, event_key, leaf)
SELECT next_index + ordinal - 1, base + ordinal, '\x01'::bytea || sha256(hash || '\x01'::bytea) || '\x00004f00'::bytea
FROM crowd_event, crowd_base, head;
UPDATE log_head SET next_index = next_index + (SELECT events FROM crowd_base);
