-- name: user
SELECT name, role, disabled FROM users WHERE name = :name

-- name: key
SELECT name, role, created_by, revoked_at FROM api_keys WHERE name = :name

-- name: next_request
SELECT COALESCE(MAX(request_id), 0) + 1 AS number FROM approval_requests

-- name: add_request
INSERT INTO approval_requests
    (request_id, kind, subject, version, content_hash, status, hands, evidence, requested_by,
     requested_at)
VALUES
    (:request_id, :kind, :subject, :version, :content_hash, 'waiting', :hands, :evidence,
     :requested_by, :requested_at)

-- name: add_act
INSERT INTO approval_acts (request_id, number, act, actor, person, at, note)
SELECT :request_id, COALESCE(MAX(number), 0) + 1, :act, :actor, :person, :at, :note
FROM approval_acts WHERE request_id = :request_id

-- name: request
SELECT * FROM approval_requests WHERE request_id = :request_id

-- name: requests_of
SELECT * FROM approval_requests WHERE kind = :kind AND subject = :subject ORDER BY request_id DESC

-- name: waiting
SELECT * FROM approval_requests WHERE status = 'waiting' ORDER BY request_id

-- name: newest
SELECT * FROM approval_requests ORDER BY request_id DESC LIMIT :size

-- name: acts
SELECT * FROM approval_acts WHERE request_id = :request_id ORDER BY number

-- name: decide
UPDATE approval_requests SET status = :status, decided_by = :person, decided_at = :at
WHERE request_id = :request_id AND status = 'waiting'

-- name: supersede
UPDATE approval_requests SET status = 'superseded', decided_by = :person, decided_at = :at
WHERE kind = :kind AND subject = :subject AND status = 'waiting'

-- name: approved
SELECT request_id FROM approval_requests
WHERE kind = :kind AND subject = :subject AND version = :version
  AND content_hash = :content_hash AND status = 'approved'
ORDER BY request_id DESC LIMIT 1
