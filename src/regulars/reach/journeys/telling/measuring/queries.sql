-- name: mark
SELECT value FROM watermarks WHERE name = :name

-- name: set_mark
INSERT INTO watermarks (name, value) VALUES (:name, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: newest
SELECT COALESCE(MAX(instance_id), 0) AS last FROM journey_states

-- name: span
SELECT s.instance_id, s.journey_no, s.version, s.customer_id, s.assignment, s.entered_at,
       j.journey_id
FROM journey_states AS s JOIN journeys AS j ON j.journey_no = s.journey_no
WHERE s.instance_id > :after AND s.instance_id <= :until AND s.times = 1
ORDER BY s.instance_id
