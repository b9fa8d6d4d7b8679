-- name: facts
-- What journeys ask the state about customers: where they are, when they were born.
SELECT customer_id, zone, born_on FROM contact_facts
WHERE zone IS NOT NULL OR born_on IS NOT NULL

-- name: turns
SELECT number, now FROM turns ORDER BY number
