-- name: newest
SELECT version, body FROM points_programmes ORDER BY version DESC LIMIT 1

-- name: every
SELECT version, body, kept_by, kept_at FROM points_programmes ORDER BY version

-- name: keep
INSERT INTO points_programmes (version, body, kept_by, kept_at)
VALUES (:version, :body, :kept_by, :kept_at)
