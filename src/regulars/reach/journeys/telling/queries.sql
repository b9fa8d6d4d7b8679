-- name: kept
SELECT c.contact_key, s.context FROM journey_contacts AS c
JOIN journey_states AS s ON s.instance_id = c.instance_id
WHERE c.contact_key IN (SELECT value FROM json_each(:keys)) AND s.context IS NOT NULL

-- name: kept [postgresql]
SELECT c.contact_key, s.context FROM journey_contacts AS c
JOIN journey_states AS s ON s.instance_id = c.instance_id
WHERE c.contact_key IN (SELECT json_array_elements_text(CAST(:keys AS json)))
  AND s.context IS NOT NULL

-- name: stays
SELECT s.*, j.journey_id FROM journey_states AS s
JOIN journeys AS j ON j.journey_no = s.journey_no
WHERE s.customer_id = :customer_id ORDER BY s.entered_at, s.instance_id

-- name: steps
SELECT instance_id, visit, version, node_no, edge, at FROM journey_steps
WHERE instance_id = :instance_id ORDER BY visit

-- name: passed
-- How often each way was gone, over all stays of a journey.
SELECT t.version, t.node_no, t.edge, COUNT(*) AS steps
FROM journey_steps AS t JOIN journey_states AS s ON s.instance_id = t.instance_id
WHERE s.journey_no = :journey_no
GROUP BY t.version, t.node_no, t.edge ORDER BY t.version, t.node_no, t.edge

-- name: totals
SELECT assignment, COUNT(*) AS customers,
       SUM(CASE WHEN wake_at IS NULL THEN 0 ELSE 1 END) AS inside
FROM journey_states WHERE journey_no = :journey_no GROUP BY assignment ORDER BY assignment
