-- name: standing
-- What is the same for everybody: the stop, and which notice consent must rest on by now.
SELECT 'stop' AS kind, value AS name, '' AS value FROM watermarks WHERE name = 'emergency_stop'
UNION ALL
SELECT 'notice', version, effective_from FROM notices
UNION ALL
SELECT 'floor', version, effective_from FROM notice_floors
WHERE purpose = 'marketing' AND effective_from <= :now

-- name: words
SELECT json_group_array(json_array(
           c.customer_id, c.purpose, c.channel, '', c.status, c.recorded_at, c.notice_version))
       AS found
FROM (SELECT DISTINCT value AS customer_id FROM json_each(:customers)) AS asked
CROSS JOIN consents AS c ON c.customer_id = asked.customer_id
WHERE c.purpose IN ('marketing', 'profiling', 'minors_guardian')

-- name: words [postgresql]
SELECT CAST(COALESCE(json_agg(json_build_array(
           c.customer_id, c.purpose, c.channel, '', c.status, c.recorded_at, c.notice_version)),
       '[]') AS text) AS found
FROM consents AS c
WHERE c.customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))
  AND c.purpose IN ('marketing', 'profiling', 'minors_guardian')

-- name: topics
SELECT json_group_array(json_array(
           c.customer_id, c.purpose, c.channel, c.topic, c.status, c.recorded_at,
           c.notice_version)) AS found
FROM (SELECT DISTINCT value AS customer_id FROM json_each(:customers)) AS asked
CROSS JOIN consent_topics AS c ON c.customer_id = asked.customer_id
WHERE c.purpose = 'marketing'

-- name: topics [postgresql]
SELECT CAST(COALESCE(json_agg(json_build_array(
           c.customer_id, c.purpose, c.channel, c.topic, c.status, c.recorded_at,
           c.notice_version)), '[]') AS text) AS found
FROM consent_topics AS c
WHERE c.customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))
  AND c.purpose = 'marketing'

-- name: bars
SELECT json_group_array(json_array(s.customer_id, s.channel, s.reason, s.until)) AS found
FROM (SELECT DISTINCT value AS customer_id FROM json_each(:customers)) AS asked
CROSS JOIN suppressions AS s ON s.customer_id = asked.customer_id

-- name: bars [postgresql]
SELECT CAST(COALESCE(json_agg(json_build_array(s.customer_id, s.channel, s.reason, s.until)), '[]')
       AS text) AS found
FROM suppressions AS s
WHERE s.customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))

-- name: facts
SELECT json_group_array(json_array(f.customer_id, f.zone, f.born_on, f.has_guardian_consent))
       AS found
FROM (SELECT DISTINCT value AS customer_id FROM json_each(:customers)) AS asked
CROSS JOIN contact_facts AS f ON f.customer_id = asked.customer_id

-- name: facts [postgresql]
SELECT CAST(COALESCE(json_agg(json_build_array(
           f.customer_id, f.zone, f.born_on, f.has_guardian_consent)), '[]') AS text) AS found
FROM contact_facts AS f
WHERE f.customer_id IN (SELECT json_array_elements_text(CAST(:customers AS json)))
