-- name: due_lots
-- A lock that ended, or points that expired: each lot once, whatever else its customer has.
SELECT l.* FROM json_each(:customers) AS asked CROSS JOIN points_lots AS l
    ON l.customer_id = asked.value AND l.remaining > 0 AND l.state = 'active'
        AND l.expires_at <= :at
UNION ALL
SELECT l.* FROM json_each(:customers) AS asked CROSS JOIN points_lots AS l
    ON l.customer_id = asked.value AND l.remaining > 0 AND l.state = 'pending'
        AND l.expires_at <= :at
UNION ALL
SELECT l.* FROM json_each(:customers) AS asked CROSS JOIN points_lots AS l
    ON l.customer_id = asked.value AND l.remaining > 0 AND l.state = 'pending'
        AND l.available_at <= :at AND l.expires_at > :at

-- name: due_lots [postgresql]
SELECT l.* FROM json_each(:customers) AS asked JOIN points_lots AS l
    ON l.customer_id = asked.value AND l.remaining > 0 AND l.state = 'active'
        AND l.expires_at <= :at
UNION ALL
SELECT l.* FROM json_each(:customers) AS asked JOIN points_lots AS l
    ON l.customer_id = asked.value AND l.remaining > 0 AND l.state = 'pending'
        AND l.expires_at <= :at
UNION ALL
SELECT l.* FROM json_each(:customers) AS asked JOIN points_lots AS l
    ON l.customer_id = asked.value AND l.remaining > 0 AND l.state = 'pending'
        AND l.available_at <= :at AND l.expires_at > :at

-- name: first_lots
SELECT l.* FROM json_each(:customers) AS asked CROSS JOIN points_lots AS l
    ON l.lot_id IN (
        SELECT f.lot_id FROM points_lots AS f
        WHERE f.customer_id = asked.value AND f.state = :state AND f.remaining > 0
        ORDER BY f.expires_at, f.earned_at, f.lot_id LIMIT :most
    )

-- name: first_lots [postgresql]
SELECT l.* FROM json_each(:customers) AS asked CROSS JOIN LATERAL (
    SELECT * FROM points_lots AS f
    WHERE f.customer_id = asked.value AND f.state = :state AND f.remaining > 0
    ORDER BY f.expires_at, f.earned_at, f.lot_id LIMIT :most
) AS l

-- name: further_lots
SELECT * FROM points_lots
WHERE customer_id = :customer_id AND state = :state AND remaining > 0
    AND (expires_at, earned_at, lot_id) > (:expires_at, :earned_at, :lot_id)
ORDER BY expires_at, earned_at, lot_id LIMIT :most

-- name: lots_named
SELECT l.* FROM json_each(:lots) AS asked CROSS JOIN points_lots AS l ON l.lot_id = asked.value

-- name: lots_named [postgresql]
SELECT l.* FROM json_each(:lots) AS asked JOIN points_lots AS l ON l.lot_id = asked.value

-- name: every_lot
SELECT l.* FROM json_each(:customers) AS asked
CROSS JOIN points_lots AS l ON l.customer_id = asked.value

-- name: every_lot [postgresql]
SELECT l.* FROM json_each(:customers) AS asked JOIN points_lots AS l ON l.customer_id = asked.value
