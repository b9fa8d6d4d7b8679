-- name: words
SELECT customer_id, channel, status, recorded_at FROM consents WHERE purpose = 'marketing'

-- name: suppressions
SELECT customer_id, channel FROM suppressions

-- name: contacts
SELECT customer_id, SUM(contacts) AS contacts
FROM contact_days WHERE day > :since GROUP BY customer_id

-- name: stop
SELECT value FROM watermarks WHERE name = 'emergency_stop'

-- name: stock
SELECT offer_id, stock - given AS remaining FROM offer_stock
WHERE stock IS NOT NULL ORDER BY offer_id
