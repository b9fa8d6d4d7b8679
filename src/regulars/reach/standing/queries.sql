-- name: present
SELECT customer_id FROM identifiers WHERE node = :customer_id

-- name: stock
SELECT offer_id, stock - given AS remaining FROM offer_stock
WHERE stock IS NOT NULL ORDER BY offer_id
