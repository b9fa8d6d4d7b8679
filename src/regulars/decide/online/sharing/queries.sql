-- name: begin
-- The row of all takers together carries taker ''.
INSERT INTO online_takings (turn, kind, name, taker, taken)
VALUES (:turn, :kind, :name, :taker, 0) ON CONFLICT DO NOTHING

-- name: taken
SELECT taken FROM online_takings
WHERE turn = :turn AND kind = :kind AND name = :name AND taker = :taker

-- name: taken [postgresql]
-- Locked until the end of the transaction: nobody else takes of it meanwhile.
SELECT taken FROM online_takings
WHERE turn = :turn AND kind = :kind AND name = :name AND taker = :taker FOR UPDATE

-- name: take
UPDATE online_takings SET taken = taken + :amount
WHERE turn = :turn AND kind = :kind AND name = :name AND taker IN ('', :taker)

-- name: stock
SELECT stock - given AS remaining FROM offer_stock WHERE offer_id = :offer_id AND stock IS NOT NULL

-- name: stock [postgresql]
-- Locked until the end of the transaction: nobody else gives the same offer meanwhile.
SELECT stock - given AS remaining FROM offer_stock
WHERE offer_id = :offer_id AND stock IS NOT NULL FOR UPDATE

-- name: take_stock
-- Below 0 it is given back.
UPDATE offer_stock SET given = given + :amount WHERE offer_id = :offer_id

-- name: held
SELECT turn, kind, name, taken FROM online_takings
WHERE taker = :taker AND taken > 0 ORDER BY turn, kind, name
