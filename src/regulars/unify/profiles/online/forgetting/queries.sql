-- name: nodes
SELECT node, name, updated_at FROM nodes WHERE name IN (SELECT value FROM json_each(:names))

-- name: of_nodes
-- A pattern: the table stands for each that has a node.
SELECT t.* FROM activity t JOIN nodes n ON n.node = t.node
WHERE n.name IN (SELECT value FROM json_each(:names))

-- name: forget_of_nodes
-- A pattern, like the one before.
DELETE FROM activity WHERE node IN
    (SELECT node FROM nodes WHERE name IN (SELECT value FROM json_each(:names)))

-- name: forget_lines
DELETE FROM order_lines WHERE number IN (
    SELECT number FROM orders WHERE node IN
        (SELECT node FROM nodes WHERE name IN (SELECT value FROM json_each(:names)))
)

-- name: forget_versions
-- The body says whose the order is, also of versions that count for nothing any more.
DELETE FROM order_versions
WHERE json_extract(body, '$.node') IN (SELECT value FROM json_each(:names))

-- name: forget_nodes
DELETE FROM nodes WHERE name IN (SELECT value FROM json_each(:names))
