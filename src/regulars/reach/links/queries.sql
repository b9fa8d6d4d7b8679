-- name: keep_destination
insert into link_destinations (destination_id, url, at) values (:destination_id, :url, :at)
on conflict (destination_id) do nothing

-- name: keep_short
insert into short_links (code, token, at) values (:code, :token, :at)
on conflict (code) do nothing
