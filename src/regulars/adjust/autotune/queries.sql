-- name: unlearned
SELECT turn, reason, actor, at FROM unlearned_turns ORDER BY turn

-- name: turns
SELECT number FROM turns ORDER BY number DESC LIMIT 60

-- name: unlearn
INSERT INTO unlearned_turns (turn, reason, actor, at) VALUES (:turn, :reason, :actor, :at)
ON CONFLICT (turn) DO UPDATE SET reason = excluded.reason, actor = excluded.actor,
    at = excluded.at

-- name: relearn
DELETE FROM unlearned_turns WHERE turn = :turn
