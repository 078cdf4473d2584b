SELECT
    count(*) FILTER (WHERE name_key = $1 AND address_key = $2) AS pair,
    min(attempted_at) FILTER (WHERE name_key = $1 AND address_key = $2) AS pair_since,
    count(*) FILTER (WHERE name_key = $1) AS name,
    min(attempted_at) FILTER (WHERE name_key = $1) AS name_since,
    count(*) FILTER (WHERE address_key = $2) AS address,
    min(attempted_at) FILTER (WHERE address_key = $2) AS address_since,
    EXISTS (
        SELECT FROM sign_in_address
        WHERE name_key = $1 AND address_key = $2 AND signed_in_at > clock_timestamp() - interval '90 days'
    ) AS known,
    clock_timestamp() AS asked_at
FROM sign_in_attempt
WHERE (name_key = $1 OR address_key = $2) AND NOT succeeded
  AND attempted_at > clock_timestamp() - make_interval(secs => $3)
