-- name: ask
INSERT INTO consent_pending (word_id, word, asked_at, expires_at)
VALUES (:word_id, :word, :asked_at, :expires_at)
ON CONFLICT (word_id) DO NOTHING

-- name: pending
SELECT word, asked_at, expires_at, confirmed_at FROM consent_pending WHERE word_id = :word_id

-- name: confirm
UPDATE consent_pending SET confirmed_at = :at
WHERE word_id = :word_id AND confirmed_at IS NULL

-- name: forget
DELETE FROM consent_pending WHERE confirmed_at IS NULL AND expires_at <= :now
