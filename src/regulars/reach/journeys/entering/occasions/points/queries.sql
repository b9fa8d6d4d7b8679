-- name: points_expiring
-- What a lot still has, or had when it ended.
SELECT COALESCE(d.customer_id, l.customer_id) AS customer_id, SUM(l.remaining + l.expired) AS points
FROM points_lots AS l LEFT JOIN identifiers AS d ON d.node = l.customer_id
WHERE l.expires_at > :after AND l.expires_at <= :until AND l.remaining + l.expired > 0
GROUP BY 1 ORDER BY 1

-- name: points_held
SELECT COUNT(DISTINCT customer_id) AS customers FROM points_lots
WHERE remaining > 0 AND expires_at < :never
