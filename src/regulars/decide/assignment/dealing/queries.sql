-- name: running
SELECT id, definition, first_place, last_place FROM experiments WHERE state = 'running'
ORDER BY id

-- name: expose
INSERT INTO experiment_exposures (experiment_id, customer_id, variant, at)
SELECT :experiment_id, :customer_id, :variant, :at
WHERE EXISTS (SELECT 1 FROM experiments WHERE id = :experiment_id AND state = 'running')
ON CONFLICT (experiment_id, customer_id) DO NOTHING
