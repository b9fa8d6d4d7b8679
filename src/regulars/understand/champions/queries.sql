-- name: serving
SELECT family, from_turn, version, verb, actor, reason, at FROM model_changes
WHERE family = :family AND from_turn <= :turn ORDER BY from_turn, number

-- name: changes
SELECT number, family, from_turn, version, verb, actor, reason, at FROM model_changes
ORDER BY from_turn, number

-- name: next_change
SELECT COALESCE(MAX(number), 0) + 1 AS number FROM model_changes

-- name: same_change
SELECT number FROM model_changes
WHERE family = :family AND from_turn = :from_turn AND version = :version AND verb = :verb

-- name: change
INSERT INTO model_changes (number, family, from_turn, version, verb, actor, reason, at)
VALUES (:number, :family, :from_turn, :version, :verb, :actor, :reason, :at)

-- name: models
SELECT family, version, status, fitted_at, from_day, to_day, held_from, held_until, customers,
    metrics FROM models ORDER BY family, version

-- name: keep_model
INSERT INTO models (family, version, status, fitted_at, from_day, to_day, held_from, held_until,
    customers, metrics)
VALUES (:family, :version, :status, :fitted_at, :from_day, :to_day, :held_from, :held_until,
    :customers, :metrics)
ON CONFLICT (family, version) DO UPDATE SET status = excluded.status,
    fitted_at = excluded.fitted_at, from_day = excluded.from_day, to_day = excluded.to_day,
    held_from = excluded.held_from, held_until = excluded.held_until,
    customers = excluded.customers, metrics = excluded.metrics

-- name: name_model
INSERT INTO models (family, version, status, fitted_at, from_day, to_day, held_from, held_until,
    customers, metrics)
VALUES (:family, :version, :status, '', '', '', '', '', 0, '{}')
ON CONFLICT (family, version) DO UPDATE SET status = excluded.status

-- name: trials
SELECT family, turn, challenger, champion, verdict, customers, held_from, held_until, metrics,
    says, at FROM model_trials ORDER BY family, turn DESC, challenger

-- name: last_trial
SELECT verdict, says, turn FROM model_trials WHERE family = :family AND challenger = :version
ORDER BY turn DESC LIMIT 1

-- name: last_held
SELECT MAX(held_until) AS held_until FROM model_trials WHERE family = :family AND turn < :turn

-- name: keep_trial
INSERT INTO model_trials (family, turn, challenger, champion, verdict, customers, held_from,
    held_until, metrics, says, at)
VALUES (:family, :turn, :challenger, :champion, :verdict, :customers, :held_from, :held_until,
    :metrics, :says, :at)
ON CONFLICT (family, turn, challenger) DO UPDATE SET champion = excluded.champion,
    verdict = excluded.verdict, customers = excluded.customers, held_from = excluded.held_from,
    held_until = excluded.held_until, metrics = excluded.metrics, says = excluded.says,
    at = excluded.at
