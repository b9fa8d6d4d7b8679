-- name: held
SELECT customer_id, tier, since, review_on FROM points_tiers ORDER BY customer_id

-- name: of_ids
SELECT customer_id, tier, since, review_on, measured FROM points_tiers
WHERE customer_id IN (SELECT value FROM json_each(:ids)) ORDER BY customer_id

-- name: joined
SELECT customer_id, ids, tier, since, review_on, measured FROM points_tiers_joined
ORDER BY customer_id

-- name: joined_of_ids
SELECT customer_id, ids, tier, since, review_on, measured FROM points_tiers_joined
WHERE customer_id IN (SELECT value FROM json_each(:ids)) ORDER BY customer_id

-- name: forget_joined
DELETE FROM points_tiers_joined

-- name: put_joined
INSERT INTO points_tiers_joined (customer_id, ids, tier, since, review_on, measured)
VALUES (:customer_id, :ids, :tier, :since, :review_on, :measured)

-- name: put
INSERT INTO points_tiers (customer_id, tier, since, review_on, measured)
VALUES (:customer_id, :tier, :since, :review_on, :measured)
ON CONFLICT (customer_id) DO UPDATE SET tier = excluded.tier, since = excluded.since,
    review_on = excluded.review_on, measured = excluded.measured

-- name: changed
INSERT INTO points_tier_changes (customer_id, changed_on, before, after, why, measured)
VALUES (:customer_id, :changed_on, :before, :after, :why, :measured)
ON CONFLICT (customer_id, changed_on) DO UPDATE SET after = excluded.after, why = excluded.why,
    measured = excluded.measured

-- name: counts
SELECT tier, COUNT(*) AS customers FROM points_tiers WHERE tier <> '' GROUP BY tier ORDER BY tier

-- name: earned
-- Points orders gave since a moment, what was returned taken off, by who has them now.
SELECT l.customer_id, SUM(l.points - l.taken) AS measured FROM points_lots AS l
JOIN points_operations AS o ON o.key = l.lot_id
WHERE o.reason = 'order' AND l.earned_at >= :since GROUP BY l.customer_id ORDER BY l.customer_id
