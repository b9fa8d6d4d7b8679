-- name: keep_evidence
insert into copy_evidence (evidence_id, kind, claim, source, institution, period, scope, valid_to,
    product, url, offsets_used, actor, kept_at)
values (:evidence_id, :kind, :claim, :source, :institution, :period, :scope, :valid_to,
    :product, :url, :offsets_used, :actor, :at)
on conflict (evidence_id) do update set
    kind = excluded.kind,
    claim = excluded.claim,
    source = excluded.source,
    institution = excluded.institution,
    period = excluded.period,
    scope = excluded.scope,
    valid_to = excluded.valid_to,
    product = excluded.product,
    url = excluded.url,
    offsets_used = excluded.offsets_used,
    actor = excluded.actor,
    kept_at = excluded.kept_at

-- name: evidence
select evidence_id, kind, claim, source, institution, period, scope, valid_to, product, url,
    offsets_used
from copy_evidence order by evidence_id

-- name: keep_name
insert into copy_names (name, kind, record, actor, kept_at)
values (:name, :kind, :record, :actor, :at)
on conflict (name) do update set
    kind = excluded.kind, record = excluded.record, actor = excluded.actor,
    kept_at = excluded.kept_at

-- name: names
select name, kind, record from copy_names order by name

-- name: decide
insert into copy_decisions (span_text, product, evidence_id, rule, rule_version, verdict, reason,
    actor, decided_at)
values (:span_text, :product, :evidence_id, :rule, :rule_version, :verdict, :reason, :actor,
    :decided_at)
on conflict (span_text, product, evidence_id, rule, rule_version) do update set
    verdict = excluded.verdict, reason = excluded.reason, actor = excluded.actor,
    decided_at = excluded.decided_at

-- name: decisions
select span_text, product, evidence_id, rule, rule_version, verdict, reason, actor, decided_at
from copy_decisions order by decided_at desc, span_text, rule
