-- name: journeys
SELECT j.journey_no, j.journey_id, j.version, MIN(v.published_at) AS begun_at
FROM journeys AS j JOIN journey_versions AS v ON v.journey_no = j.journey_no
WHERE j.state = 'running' AND v.published_at IS NOT NULL
GROUP BY j.journey_no, j.journey_id, j.version ORDER BY j.journey_no

-- name: taken
SELECT occasion FROM journey_occasions
WHERE journey_no = :journey_no AND entry = :entry ORDER BY occasion DESC LIMIT 40

-- name: take
INSERT INTO journey_occasions (journey_no, entry, occasion, customers, at)
VALUES (:journey_no, :entry, :occasion, :customers, :at)
ON CONFLICT (journey_no, entry, occasion) DO NOTHING

-- name: born_on
SELECT customer_id FROM contact_facts
WHERE SUBSTR(born_on, 6, 5) IN (SELECT value FROM json_each(:days)) ORDER BY customer_id

-- name: born_on [postgresql]
SELECT customer_id FROM contact_facts
WHERE SUBSTR(born_on, 6, 5) IN (SELECT json_array_elements_text(CAST(:days AS json)))
ORDER BY customer_id

-- name: members
SELECT customer_id FROM journey_members
WHERE journey_no = :journey_no AND entry = :entry

-- name: join
INSERT INTO journey_members (journey_no, entry, customer_id, since)
VALUES (:journey_no, :entry, :customer_id, :since)
ON CONFLICT (journey_no, entry, customer_id) DO NOTHING

-- name: leave
DELETE FROM journey_members
WHERE journey_no = :journey_no AND entry = :entry AND customer_id = :customer_id
