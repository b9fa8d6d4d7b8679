-- name: posted
SELECT order_id, business_date, version, weighted FROM points_orders ORDER BY order_id

-- name: known
SELECT o.* FROM json_each(:orders) AS asked CROSS JOIN points_orders AS o ON o.order_id = asked.value

-- name: known [postgresql]
SELECT o.* FROM json_each(:orders) AS asked JOIN points_orders AS o ON o.order_id = asked.value

-- name: put
INSERT INTO points_orders (
    order_id, customer_id, business_date, version, multiplier, weighted, points, changes, lots
) VALUES (
    :order_id, :customer_id, :business_date, :version, :multiplier, :weighted, :points, :changes,
    :lots
) ON CONFLICT (order_id) DO UPDATE SET
    weighted = excluded.weighted, points = excluded.points, changes = excluded.changes,
    lots = excluded.lots
WHERE points_orders.changes = excluded.changes - 1
