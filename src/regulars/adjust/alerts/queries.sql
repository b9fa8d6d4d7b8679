-- name: said
SELECT channel, is_held, until_turn, reason, actor, at FROM channel_words ORDER BY channel

-- name: say
INSERT INTO channel_words (channel, is_held, until_turn, reason, actor, at)
VALUES (:channel, :is_held, :until_turn, :reason, :actor, :at)
ON CONFLICT (channel) DO UPDATE SET is_held = excluded.is_held, until_turn = excluded.until_turn,
    reason = excluded.reason, actor = excluded.actor, at = excluded.at

-- name: take_back
DELETE FROM channel_words WHERE channel = :channel
