-- name: position
select cursor_value from source_positions where source = :source

-- name: move
insert into source_positions (source, cursor_value, moved_at) values (:source, :cursor_value, :moved_at)
on conflict (source) do update set cursor_value = excluded.cursor_value, moved_at = excluded.moved_at
