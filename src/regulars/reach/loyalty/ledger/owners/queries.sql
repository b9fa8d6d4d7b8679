-- name: once_apart
-- Ids somebody else had before a merge that stands.
SELECT i.customer_id, i.node FROM json_each(:customers) AS asked
CROSS JOIN identifiers AS i ON i.customer_id = asked.value
WHERE i.node <> i.customer_id
  AND (EXISTS (SELECT 1 FROM merge_log AS m WHERE m.other = i.node)
       OR EXISTS (SELECT 1 FROM merge_log AS m WHERE m.survivor = i.node))

-- name: once_apart [postgresql]
SELECT i.customer_id, i.node FROM json_each(:customers) AS asked
JOIN identifiers AS i ON i.customer_id = asked.value
WHERE i.node <> i.customer_id
  AND (EXISTS (SELECT 1 FROM merge_log AS m WHERE m.other = i.node)
       OR EXISTS (SELECT 1 FROM merge_log AS m WHERE m.survivor = i.node))

-- name: all_once_apart
SELECT i.customer_id, i.node
FROM (SELECT survivor AS node FROM merge_log UNION SELECT other FROM merge_log) AS m
JOIN identifiers AS i ON i.node = m.node
WHERE i.customer_id <> i.node

-- name: owners
SELECT i.node, i.customer_id FROM json_each(:nodes) AS asked
CROSS JOIN identifiers AS i ON i.node = asked.value
WHERE i.customer_id <> i.node

-- name: owners [postgresql]
SELECT i.node, i.customer_id FROM json_each(:nodes) AS asked
JOIN identifiers AS i ON i.node = asked.value
WHERE i.customer_id <> i.node
