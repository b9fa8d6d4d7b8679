-- name: journey
SELECT journey_no FROM journeys WHERE journey_id = :journey_id

-- name: journeys
SELECT journey_id FROM journeys ORDER BY journey_id

-- name: stays
-- Who a journey has taken in, whom it only keeps for comparison left out.
SELECT customer_id, MAX(CASE WHEN wake_at IS NULL THEN 0 ELSE 1 END) AS inside,
       MAX(CASE WHEN left_at IS NULL THEN 0 ELSE 1 END) AS done
FROM journey_states WHERE journey_no = :journey_no AND assignment = 0
GROUP BY customer_id ORDER BY customer_id
