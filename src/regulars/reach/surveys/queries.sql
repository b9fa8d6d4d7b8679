-- name: newest
select survey_id, version, body, at, actor from surveys
where survey_id = :survey_id order by version desc limit 1

-- name: list
select s.survey_id, s.version, s.body, s.at, s.actor from surveys s
where s.version = (select max(v.version) from surveys v where v.survey_id = s.survey_id)
order by s.survey_id

-- name: keep
insert into surveys (survey_id, version, body, at, actor)
values (:survey_id, :version, :body, :at, :actor)

-- name: answers_of
select * from survey_answers where survey_id = :survey_id and respondent_id = :respondent_id
order by at, answer_id

-- name: replace
update survey_answers set is_last = 0
where survey_id = :survey_id and respondent_id = :respondent_id

-- name: answer
insert into survey_answers (
    answer_id, survey_id, version, respondent_id, customer_id, score, comment, locale, at, is_last
) values (
    :answer_id, :survey_id, :version, :respondent_id, :customer_id, :score, :comment, :locale, :at,
    1
)

-- name: counts
select score, count(*) as answers from survey_answers
where survey_id = :survey_id and is_last = 1 group by score order by score

-- name: comments
select answer_id, customer_id, score, comment, locale, at from survey_answers
where survey_id = :survey_id and is_last = 1 and comment <> ''
order by at desc, answer_id limit :most

-- name: of_customer
select survey_id, version, score, comment, at from survey_answers
where customer_id = :customer_id and is_last = 1 order by at desc, survey_id

-- name: batch
select coalesce(max(batch), 0) as batch from survey_answers

-- name: last_settled
select value from watermarks where name = 'surveys/settled'

-- name: move_settled
insert into watermarks (name, value) values ('surveys/settled', :value)
on conflict (name) do update set value = excluded.value

-- name: unsettled
-- The first answer of everybody whose last word is not a fact yet.
select a.answer_id, a.survey_id, a.respondent_id, min(f.at) as first_at
from survey_answers a
join survey_answers f on f.survey_id = a.survey_id and f.respondent_id = a.respondent_id
where a.is_last = 1 and a.batch is null
group by a.answer_id, a.survey_id, a.respondent_id
order by a.answer_id

-- name: settle
update survey_answers set batch = :batch where answer_id = :answer_id

-- name: of_batch
select survey_id, respondent_id, customer_id, score, comment, at from survey_answers
where batch = :batch order by survey_id, respondent_id

-- name: open_task
insert into service_tasks (
    task_id, survey_id, respondent_id, customer_id, score, comment, opened_at
) values (:task_id, :survey_id, :respondent_id, :customer_id, :score, :comment, :opened_at)
on conflict (task_id) do update
set score = excluded.score, comment = excluded.comment where service_tasks.closed_at is null

-- name: task
select * from service_tasks where task_id = :task_id

-- name: tasks
select * from service_tasks
where :everything = 1 or closed_at is null order by opened_at desc, task_id limit :most

-- name: close_task
update service_tasks set closed_at = :at, closed_by = :actor, note = :note
where task_id = :task_id and closed_at is null
