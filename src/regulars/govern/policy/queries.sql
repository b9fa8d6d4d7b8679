-- name: stop
-- The first reason stays: stopping twice does not hide why it was stopped.
INSERT INTO watermarks (name, value) VALUES ('emergency_stop', :reason)
ON CONFLICT (name) DO NOTHING

-- name: resume
DELETE FROM watermarks WHERE name = 'emergency_stop'

-- name: stopped
SELECT value FROM watermarks WHERE name = 'emergency_stop'
