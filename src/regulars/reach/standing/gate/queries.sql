-- name: stop
SELECT value FROM watermarks WHERE name = 'emergency_stop'

-- name: words
SELECT json_group_array(json_array(
           c.customer_id, c.purpose, c.channel, c.status, c.recorded_at, c.notice_version)) AS found
FROM (SELECT DISTINCT value AS customer_id FROM json_each(:customers)) AS asked
CROSS JOIN consents AS c ON c.customer_id = asked.customer_id

-- name: words [postgresql]
SELECT CAST(COALESCE(json_agg(json_build_array(
           c.customer_id, c.purpose, c.channel, c.status, c.recorded_at, c.notice_version)), '[]')
       AS text) AS found
FROM consents AS c
WHERE c.customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))

-- name: suppressions
SELECT json_group_array(json_array(s.customer_id, s.channel, s.reason)) AS found
FROM (SELECT DISTINCT value AS customer_id FROM json_each(:customers)) AS asked
CROSS JOIN suppressions AS s ON s.customer_id = asked.customer_id

-- name: suppressions [postgresql]
SELECT CAST(COALESCE(json_agg(json_build_array(s.customer_id, s.channel, s.reason)), '[]')
       AS text) AS found
FROM suppressions AS s
WHERE s.customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))
