-- name: outstanding
SELECT SUBSTR(expires_at, 1, 7) AS month, state, SUM(remaining) AS points FROM points_lots
WHERE remaining > 0 AND expires_at > :at GROUP BY SUBSTR(expires_at, 1, 7), state
ORDER BY month, state

-- name: matured
-- Of lots whose life is over: what was good to the end, and what of it expired.
SELECT COALESCE(SUM(points - taken), 0) AS points, COALESCE(SUM(expired), 0) AS expired,
    COUNT(*) AS lots
FROM points_lots WHERE expires_at <= :at

-- name: totals
SELECT COALESCE(SUM(active), 0) AS active, COALESCE(SUM(pending), 0) AS pending,
    COALESCE(SUM(owed), 0) AS owed,
    COALESCE(SUM(CASE WHEN active + pending > 0 THEN 1 ELSE 0 END), 0) AS holders
FROM points_accounts

-- name: months
SELECT SUBSTR(o.at, 1, 7) AS month, e.account, SUM(e.points) AS points
FROM points_operations AS o JOIN points_entries AS e ON e.customer_id = o.customer_id AND e.key = o.key
WHERE o.at >= :since AND e.account IN ('issued', 'redeemed', 'expired', 'written_off')
GROUP BY SUBSTR(o.at, 1, 7), e.account ORDER BY month, e.account

-- name: expiring
SELECT customer_id, expires_at, SUM(remaining) AS points FROM points_lots
WHERE remaining > 0 AND expires_at > :after AND expires_at <= :until
GROUP BY customer_id, expires_at ORDER BY expires_at, customer_id

-- name: expiring_of
SELECT MIN(customer_id) AS customer_id, expires_at, SUM(remaining) AS points FROM points_lots
WHERE customer_id IN (SELECT value FROM json_each(:customers))
    AND remaining > 0 AND state IN ('active', 'pending')
    AND expires_at > :after AND expires_at <= :until
GROUP BY expires_at ORDER BY expires_at
