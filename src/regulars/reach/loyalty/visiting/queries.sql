-- name: add_day
INSERT INTO points_days (customer_id, day, streak, points)
VALUES (:customer_id, :day, :streak, :points) ON CONFLICT (customer_id, day) DO NOTHING

-- name: day
SELECT streak, points FROM points_days WHERE customer_id = :customer_id AND day = :day

-- name: count_task
INSERT INTO points_tasks_done (customer_id, task_id, times) VALUES (:customer_id, :task_id, 1)
ON CONFLICT (customer_id, task_id) DO UPDATE SET times = points_tasks_done.times + 1
WHERE points_tasks_done.times < :most
