-- name: list
SELECT name, choosing, temperature, epsilon, width, share, stage, since, edited_by, edited_at
FROM policies ORDER BY edited_at DESC, name

-- name: stage
INSERT INTO policies (name, choosing, temperature, epsilon, width, share, stage, since, edited_by,
    edited_at)
VALUES (:name, :choosing, :temperature, :epsilon, :width, :share, 'shadow', :at, :actor, :at)

-- name: move
UPDATE policies SET stage = :stage, since = :at, edited_by = :actor, edited_at = :at
WHERE name = :name AND stage = :before

-- name: serving
SELECT name, choosing, temperature, epsilon, width, share, stage FROM policies
WHERE stage IN ('canary', 'live')
ORDER BY stage, name

-- name: next_move
SELECT COALESCE(MAX(number), 0) + 1 AS number FROM policy_moves

-- name: note
INSERT INTO policy_moves (number, policy, verb, before_stage, after_stage, reason, actor, at)
VALUES (:number, :policy, :verb, :before_stage, :after_stage, :reason, :actor, :at)

-- name: moves
SELECT policy, verb, before_stage, after_stage, reason, actor, at FROM policy_moves
ORDER BY number
