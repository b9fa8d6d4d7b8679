-- name: next_number
SELECT COALESCE(MAX(number), 0) + 1 AS number FROM rights_requests

-- name: add
INSERT INTO rights_requests
    (number, kind, customer_id, law, status, asked_at, due_on, asked_by, reason, work, receipt)
VALUES (:number, :kind, :customer_id, :law, :status, :asked_at, :due_on, :asked_by, '', '', '')

-- name: one
SELECT * FROM rights_requests WHERE number = :number

-- name: open_access
SELECT * FROM rights_requests
WHERE customer_id = :customer_id AND law = :law AND kind = 'access' AND status = 'approved'
ORDER BY number LIMIT 1

-- name: newest
SELECT * FROM rights_requests ORDER BY number DESC LIMIT :most

-- name: unfinished
SELECT * FROM rights_requests WHERE status IN ('waiting', 'approved', 'running')
ORDER BY due_on, number

-- name: decide
UPDATE rights_requests SET status = :status, decided_by = :decided_by, reason = :reason
WHERE number = :number
