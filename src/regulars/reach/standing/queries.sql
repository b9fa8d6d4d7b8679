-- name: stock
SELECT offer_id, stock - given AS remaining FROM offer_stock
WHERE stock IS NOT NULL ORDER BY offer_id
