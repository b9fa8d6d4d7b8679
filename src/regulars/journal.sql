-- name: last_turn
SELECT number, as_of, now, seed, status FROM turns ORDER BY number DESC LIMIT 1

-- name: begin_turn
INSERT INTO turns (number, as_of, now, seed, status) VALUES (:number, :as_of, :now, :seed, 'open')
ON CONFLICT (number) DO UPDATE SET as_of = :as_of, now = :now, seed = :seed, status = 'open'

-- name: forget_steps
DELETE FROM journal WHERE turn = :number

-- name: end_turn
UPDATE turns SET status = :status WHERE number = :number

-- name: done_steps
SELECT step, rows_written FROM journal WHERE turn = :number

-- name: step_done
INSERT INTO journal (turn, step, rows_written) VALUES (:number, :step, :rows)
ON CONFLICT (turn, step) DO UPDATE SET rows_written = :rows
