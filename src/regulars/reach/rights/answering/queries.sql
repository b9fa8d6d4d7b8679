-- name: begin
UPDATE rights_requests SET status = 'running', work = :work, receipt = :receipt
WHERE number = :number

-- name: work
SELECT work FROM rights_requests WHERE number = :number

-- name: done
-- The work holds the secret the pseudonyms were made with: it goes.
UPDATE rights_requests
SET status = 'done', work = '', receipt = :receipt, done_at = :at, customer_id = :customer_id
WHERE number = :number

-- name: past
SELECT * FROM rights_requests
WHERE customer_id = :name AND kind = 'erase' AND status = 'done' ORDER BY number DESC
