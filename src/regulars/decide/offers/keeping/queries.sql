-- name: versions
SELECT offer_id, version, definition, valid_from, edited_by, edited_at, note
FROM offer_versions WHERE offer_id = :offer_id ORDER BY version

-- name: version
SELECT offer_id, version, definition, valid_from, edited_by, edited_at, note
FROM offer_versions WHERE offer_id = :offer_id AND version = :version

-- name: in_force
-- Of the versions that hold at a moment the one kept last.
SELECT offer_id, version, definition, valid_from, edited_by, edited_at, note
FROM offer_versions
WHERE offer_id = :offer_id AND valid_from <= :at
ORDER BY version DESC LIMIT 1

-- name: all_in_force
SELECT v.offer_id, v.version, v.definition, v.valid_from, v.edited_by, v.edited_at, v.note
FROM offer_versions AS v
JOIN (SELECT offer_id, MAX(version) AS version FROM offer_versions
      WHERE valid_from <= :at GROUP BY offer_id) AS newest
  ON newest.offer_id = v.offer_id AND newest.version = v.version
ORDER BY v.offer_id

-- name: newest
SELECT offer_id, version, definition, valid_from, edited_by, edited_at, note
FROM offer_versions WHERE offer_id = :offer_id ORDER BY version DESC LIMIT 1

-- name: keep
INSERT INTO offer_versions (offer_id, version, definition, valid_from, edited_by, edited_at, note)
VALUES (:offer_id, :version, :definition, :valid_from, :edited_by, :edited_at, :note)

-- name: set_stock
INSERT INTO offer_stock (offer_id, stock, given) VALUES (:offer_id, :stock, 0)
ON CONFLICT (offer_id) DO UPDATE SET stock = excluded.stock

-- name: known
SELECT DISTINCT offer_id FROM offer_versions ORDER BY offer_id
