-- name: fates_of_run
SELECT step, state, COUNT(*) AS contacts FROM ledger WHERE run_id = :run_id GROUP BY step, state
