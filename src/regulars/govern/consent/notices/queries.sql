-- name: add
INSERT INTO notices
    (version, effective_from, purposes, text_zh, text_en, text_hash, actor, published_at)
VALUES
    (:version, :effective_from, :purposes, :text_zh, :text_en, :text_hash, :actor, :published_at)

-- name: add_floor
INSERT INTO notice_floors (purpose, effective_from, version)
VALUES (:purpose, :effective_from, :version)
ON CONFLICT (purpose, effective_from) DO NOTHING

-- name: one
SELECT * FROM notices WHERE version = :version

-- name: all
SELECT * FROM notices ORDER BY effective_from DESC, version DESC

-- name: floors
SELECT purpose FROM notice_floors WHERE version = :version ORDER BY purpose
