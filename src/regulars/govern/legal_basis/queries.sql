-- name: add
insert into legal_bases (source, kind, basis, article, evidence, recorded_by, recorded_at, withdrawn_at)
values (:source, :kind, :basis, :article, :evidence, :recorded_by, :recorded_at, null)
on conflict (source) do update set
    kind = excluded.kind,
    basis = excluded.basis,
    article = excluded.article,
    evidence = excluded.evidence,
    recorded_by = excluded.recorded_by,
    recorded_at = excluded.recorded_at,
    withdrawn_at = null

-- name: bases
select source, kind, basis, article, evidence, recorded_by, recorded_at, withdrawn_at
from legal_bases order by source

-- name: withdraw
update legal_bases set withdrawn_at = :withdrawn_at where source = :source and withdrawn_at is null
