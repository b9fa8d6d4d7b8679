-- name: given
SELECT customer_id FROM points_badges
WHERE badge_id = :badge_id AND customer_id IN (SELECT value FROM json_each(:customers))

-- name: give
INSERT INTO points_badges (customer_id, badge_id, given_at) VALUES (:customer_id, :badge_id, :at)
ON CONFLICT (customer_id, badge_id) DO NOTHING

-- name: of_customer
SELECT badge_id, MIN(given_at) AS given_at FROM points_badges
WHERE customer_id IN (SELECT value FROM json_each(:ids)) GROUP BY badge_id ORDER BY 2, 1
