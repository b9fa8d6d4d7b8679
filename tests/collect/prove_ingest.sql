-- name: use_this_key
update write_keys set key_hash = :key_hash where source = :source
