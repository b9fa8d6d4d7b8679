-- name: add
INSERT INTO erased_ids (value, since) VALUES (:value, :since) ON CONFLICT (value) DO NOTHING

-- name: stamp
SELECT COUNT(*) AS ids FROM erased_ids

-- name: all
SELECT value FROM erased_ids ORDER BY value
