-- name: override
INSERT INTO channel_overrides (channel, stage, measure, value, why, actor, set_at, until)
VALUES (:channel, :stage, :measure, :value, :why, :actor, :set_at, :until)
ON CONFLICT (channel, stage, measure) DO UPDATE SET
    value = excluded.value, why = excluded.why, actor = excluded.actor,
    set_at = excluded.set_at, until = excluded.until

-- name: restore
DELETE FROM channel_overrides
WHERE channel = :channel AND stage = :stage AND measure = :measure

-- name: overrides
SELECT channel, stage, measure, value, why, actor, set_at, until FROM channel_overrides
WHERE until IS NULL OR until > :at
ORDER BY channel, stage, measure
