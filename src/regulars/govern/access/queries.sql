-- name: users
select name, role, locale, disabled from users order by name

-- name: user
select name, role, password_hash, locale, disabled, version from users where name = :name

-- name: add_user
insert into users (name, role, password_hash, locale) values (:name, :role, :password_hash, :locale)

-- name: set_password
-- A new version ends every session of the user.
update users set password_hash = :password_hash, disabled = 0, version = version + 1
where name = :name

-- name: disable_user
update users set disabled = 1, version = version + 1 where name = :name

-- name: add_session
insert into sessions (token_hash, user_name, csrf_token, user_version, expires_at)
values (:token_hash, :user_name, :csrf_token, :user_version, :expires_at)

-- name: session
select u.name, u.role, u.locale, s.csrf_token, s.expires_at
from sessions s join users u on u.name = s.user_name
where s.token_hash = :token_hash and s.expires_at > :now
  and u.disabled = 0 and u.version = s.user_version

-- name: end_session
delete from sessions where token_hash = :token_hash

-- name: end_sessions_of
delete from sessions where user_name = :name

-- name: forget_expired
delete from sessions where expires_at <= :now

-- name: failures
select subject, failures, last_at from sign_in_failures where subject in (:pair, :name, :address)

-- name: count_failure
insert into sign_in_failures (subject, failures, last_at) values (:subject, 1, :now)
on conflict (subject) do update set failures = sign_in_failures.failures + 1, last_at = :now

-- name: clear_failures
delete from sign_in_failures where subject in (:pair, :name)

-- name: uncount_failure
update sign_in_failures set failures = failures - 1 where subject = :subject

-- name: forget_failures
delete from sign_in_failures where last_at < :cutoff
