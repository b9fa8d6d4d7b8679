-- name: open_round
SELECT round, draw_id, commitment, odds, seed, begun_at FROM points_seeds
WHERE draw_id = :draw_id AND revealed_at IS NULL ORDER BY round DESC LIMIT 1

-- name: rounds
SELECT round, draw_id, commitment, odds, begun_at, revealed_at,
    CASE WHEN revealed_at IS NULL THEN '' ELSE seed END AS seed
FROM points_seeds ORDER BY round DESC

-- name: first_odds
SELECT odds FROM points_seeds WHERE draw_id = :draw_id ORDER BY round LIMIT 1

-- name: next_round
SELECT COALESCE(MAX(round), 0) + 1 AS round FROM points_seeds

-- name: begin_round
INSERT INTO points_seeds (round, draw_id, commitment, odds, seed, begun_at)
VALUES (:round, :draw_id, :commitment, :odds, :seed, :at)

-- name: reveal
UPDATE points_seeds SET revealed_at = :at WHERE round = :round AND revealed_at IS NULL

-- name: next_number
SELECT COALESCE(MAX(number), 0) + 1 AS number FROM points_draws WHERE round = :round

-- name: of_key
SELECT * FROM points_draws WHERE key = :key

-- name: today
SELECT COUNT(*) AS draws FROM points_draws
WHERE customer_id = :customer_id AND day = :day AND draw_id = :draw_id

-- name: open_stock
INSERT INTO points_prizes (draw_id, prize_id, stock, given)
VALUES (:draw_id, :prize_id, :stock, 0) ON CONFLICT (draw_id, prize_id) DO NOTHING

-- name: take_prize
UPDATE points_prizes SET given = given + 1
WHERE draw_id = :draw_id AND prize_id = :prize_id AND given < stock

-- name: stock
SELECT prize_id, stock, given FROM points_prizes WHERE draw_id = :draw_id ORDER BY prize_id

-- name: add
INSERT INTO points_draws (
    key, draw_id, round, number, customer_id, day, drawn, prize_id, code, at
) VALUES (:key, :draw_id, :round, :number, :customer_id, :day, :drawn, :prize_id, :code, :at)

-- name: pay_out
UPDATE points_draws SET code = :code WHERE key = :key AND code = ''

-- name: of_round
SELECT number, key, customer_id, drawn, prize_id, at FROM points_draws
WHERE round = :round ORDER BY number

-- name: before_round
SELECT prize_id, COUNT(*) AS given FROM points_draws
WHERE draw_id = :draw_id AND round < :round GROUP BY prize_id ORDER BY prize_id
