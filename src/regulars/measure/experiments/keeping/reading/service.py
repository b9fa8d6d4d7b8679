"""Reads kept experiments of a workspace: the plan before the start, the readout, the end."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
from ibis.expr.types import Table

from regulars.measure.experiments.gates.checks import (
    Refusal,
    leakage_gate,
    sample_ratio_gate,
    size_gate,
)
from regulars.measure.experiments.keeping.catalogue import PAST_DAYS, metric_named
from regulars.measure.experiments.keeping.definition import Definition
from regulars.measure.experiments.keeping.planning import (
    Baseline,
    PowerPlan,
    baseline_of,
    plan_power,
)
from regulars.measure.experiments.keeping.reading.showing import (
    Shown,
    conclusion_from,
    look_due,
    not_due,
    plan_of,
)
from regulars.measure.experiments.keeping.record import Conclusion, Decision, Kept, Look, Stand
from regulars.measure.experiments.keeping.service import (
    exposed_rows,
    find_experiment,
    keep_conclusion,
    keep_look,
    looks_of,
    start_experiment,
)
from regulars.measure.experiments.keeping.tables import (
    FACTS,
    Span,
    active_customers,
    customer_rows,
    leaked,
)
from regulars.measure.experiments.readout import Inference, Progress, Readout, read_out
from regulars.measure.experiments.sample_ratio import check_sample_ratio
from regulars.measure.experiments.tables import as_moments, moments_by_variant
from regulars.ports.engine import Reader
from regulars.ports.state import State
from regulars.understand.segments.audiences.judging.activity import renamed
from regulars.unify.identity.service import aliases

_EXPOSED = pa.schema([
    ("customer_id", pa.string()),
    ("variant", pa.string()),
    ("first_day", pa.date32()),
    ("since", pa.timestamp("us", tz="UTC")),
])


@dataclass(frozen=True)
class Shop:
    """What reading an experiment takes of a workspace.

    Attributes:
        engine: Opens the lake.
        state: The transactional store.
        zone: IANA zone of days.
        margin_rate: Margin over sales where no cost is known.
    """

    engine: Reader
    state: State
    zone: str
    margin_rate: float

    def day(self, moment: datetime) -> date:
        """Give the day it is where the retailer is."""
        return moment.astimezone(ZoneInfo(self.zone)).date()


def baseline(shop: Shop, definition: Definition, *, now: datetime) -> Baseline:
    """Read how the primary metric of an experiment was in as many days as it is to last.

    Over customers who bought or came in the 28 days before those days; as many per day as then
    are expected to enter.

    Args:
        shop: The workspace.
        definition: The experiment.
        now: The moment, aware.

    Returns:
        The baseline; zeros where nobody came.
    """
    facts, last = _facts(shop), shop.day(now) - timedelta(days=1)
    first = last - timedelta(days=definition.days - 1)
    span = Span(first - timedelta(days=PAST_DAYS), first - timedelta(days=1), last)
    people = active_customers(
        facts["orders"], facts["visits"], from_day=span.past_from, to_day=span.past_to
    )
    own = people.mutate(variant=ibis.literal("all"), first_day=ibis.date(first.isoformat()))
    rows = customer_rows(own, facts, span, margin_rate=shop.margin_rate)
    metric = metric_named(definition.primary)
    found = shop.engine.rows(
        moments_by_variant(rows, ["variant"], value=metric.value, other=metric.other)
    )
    if not found:
        return Baseline(0.0, 0.0, 0.0, 0, 0.0)
    per_day = found[0]["count"] / PAST_DAYS
    return baseline_of(as_moments(found).at(0), metric.name, per_day=per_day)


def power_plan(shop: Shop, definition: Definition, *, now: datetime) -> PowerPlan:
    """Say how many customers an experiment needs and how many days that takes.

    Args:
        shop: The workspace.
        definition: The experiment, kept or not.
        now: The moment, aware.

    Returns:
        The plan.
    """
    return plan_power(definition, baseline(shop, definition, now=now))


def start(shop: Shop, experiment_id: str, *, actor: str, now: datetime, anyway: str = "") -> Kept:
    """Plan an experiment by what is known today, and let it take customers.

    Args:
        shop: The workspace.
        experiment_id: The experiment, a draft.
        actor: Who lets it out.
        now: The moment, aware.
        anyway: Why it starts though it is too small; "" to start only where it is not.

    Returns:
        The experiment.

    Raises:
        UnknownName: There is no such experiment.
        NotAllowed: It is no draft, its layer is full, or it is too small.
    """
    definition = find_experiment(shop.state, experiment_id).definition
    plan = power_plan(shop, definition, now=now)
    return start_experiment(shop.state, experiment_id, plan, actor=actor, now=now, anyway=anyway)


def show(shop: Shop, kept: Kept, *, actor: str, now: datetime) -> Shown:
    """Read an experiment, or say why it must not be read.

    A planned look that is due is taken by whoever reads first, and everybody later is shown what
    it said.

    Args:
        shop: The workspace.
        kept: The experiment.
        actor: Who reads.
        now: The moment, aware.

    Returns:
        What it says. With a refusal it holds no effect at all.
    """
    if kept.stand is Stand.DRAFT:
        return Shown(dict.fromkeys(kept.definition.design, 0), None, (), (), 0, 0.0, None, (), 0)
    begun, ended = _from_to(kept, now)
    days_run = max((ended - begun) / timedelta(days=1), 0.0)
    rows, left_out = _exposed(shop, kept.definition.id, until=ended)
    exposed = ibis.memtable(pa.Table.from_pylist(rows, schema=_EXPOSED))
    progress = Progress(days_run, exposed=_leaks(shop, kept.definition, exposed))
    first = shop.day(begun)
    span = Span(first - timedelta(days=PAST_DAYS), first - timedelta(days=1), shop.day(ended))
    customers = shop.engine.arrow(
        customer_rows(exposed, _facts(shop), span, margin_rate=shop.margin_rate)
    )
    said, looks = _read(shop, kept, customers, progress, actor=actor, now=now)
    planned, seen = kept.plan.customers if kept.plan else 0, sum(said.counts.values())
    return Shown(
        said.counts,
        _srm_p(said.counts, kept.definition.design),
        said.refusals,
        said.findings,
        planned,
        days_run,
        _days_left(kept, days_run, seen, planned),
        looks,
        left_out,
    )


def conclude(
    shop: Shop,
    experiment_id: str,
    decision: Decision,
    *,
    says: str,
    actor: str,
    now: datetime,
    variant: str = "",
) -> Conclusion:
    """Decide what follows from a stopped experiment, and keep it as learned.

    Args:
        shop: The workspace.
        experiment_id: The experiment.
        decision: Adopt a variant, keep control, or nothing learned.
        says: What was learned, in a person's words.
        actor: Who decides.
        now: The moment, aware.
        variant: The variant adopted; "" otherwise.

    Returns:
        The conclusion, which cites the experiment.

    Raises:
        UnknownName: There is no such experiment.
        NotAllowed: It was not stopped, a gate is closed, or a guardrail got worse.
        InputError: Nothing is said, or the variant is not one of its own.
    """
    kept = find_experiment(shop.state, experiment_id)
    found = conclusion_from(
        kept.definition,
        show(shop, kept, actor=actor, now=now),
        decision,
        variant,
        says=says,
        actor=actor,
        at=now.astimezone(UTC).isoformat(),
    )
    keep_conclusion(shop.state, found, now=now)
    return found


def _read(
    shop: Shop,
    kept: Kept,
    customers: pa.Table,
    progress: Progress,
    *,
    actor: str,
    now: datetime,
) -> tuple[Readout, tuple[Look, ...]]:
    definition, planned = kept.definition, kept.plan.customers if kept.plan else 0
    if definition.inference is not Inference.PLANNED_LOOKS:
        plan = plan_of(definition, planned=planned, information=())
        return read_out(customers, plan, progress), ()
    looks = looks_of(shop.state, definition.id)
    taken = [one.share for one in looks]
    share = min(customers.num_rows / planned, 1.0) if planned else 0.0
    if (progress.days_run or 0.0) >= definition.days:
        share = 1.0
    if look_due(definition, taken, share=share):
        plan = plan_of(definition, planned=planned, information=(*taken, share))
        said = read_out(customers, plan, progress)
        if not said.is_refused:
            look = Look(len(looks) + 1, share, said.findings, said.counts, "")
            look = keep_look(
                shop.state, definition.id, look, actor=actor, readout=_text(said), now=now
            )
            looks = looks_of(shop.state, definition.id)
            said = Readout(said.counts, (), look.findings)
        return said, tuple(looks)
    return _between(definition, customers, progress, looks, share=share), tuple(looks)


def _between(
    definition: Definition,
    customers: pa.Table,
    progress: Progress,
    looks: Sequence[Look],
    *,
    share: float,
) -> Readout:
    """Between two looks nothing new is read: what the last one said, while the gates are open."""
    found = dict.fromkeys(definition.design, 0)
    for row in customers.column("variant").value_counts().to_pylist():
        found[row["values"]] = row["counts"]
    plan = plan_of(definition, planned=0, information=())
    refusals: list[Refusal] = [
        *sample_ratio_gate(found, plan.design, alpha=plan.gate_alpha, watched_over=plan.tuned_at),
        *size_gate(found, least=plan.least),
        *leakage_gate(progress.exposed, next(iter(plan.design))),
    ]
    if refusals or not looks:
        if not looks:
            refusals.append(not_due(definition, [], share=share))
        return Readout(found, tuple(refusals), ())
    return Readout(found, (), looks[-1].findings)


def _from_to(kept: Kept, now: datetime) -> tuple[datetime, datetime]:
    """Moments between which an experiment is read."""
    # One that is read once ends with its last day, however late it is read: reading it day after
    # day from then on would be looking again and again.
    begun = datetime.fromisoformat(kept.started_at)
    ended = datetime.fromisoformat(kept.stopped_at) if kept.stopped_at else now
    if kept.definition.inference is Inference.ONCE:
        ended = min(ended, begun + timedelta(days=kept.definition.days))
    return begun, ended


def _exposed(
    shop: Shop, experiment_id: str, *, until: datetime
) -> tuple[list[dict[str, Any]], int]:
    """Who took part by the present id; whose ids had different variants are left out."""
    known = aliases(shop.state)
    by_customer: dict[str, dict[str, Any]] = {}
    mixed: set[str] = set()
    for row in exposed_rows(shop.state, experiment_id):
        name = known.get(row["customer_id"], row["customer_id"])
        since = datetime.fromisoformat(row["at"])
        if since > until:
            continue
        mine = by_customer.get(name)
        if mine is not None and mine["variant"] != row["variant"]:
            mixed.add(name)
        if mine is None or since < mine["since"]:
            by_customer[name] = {
                "customer_id": name,
                "variant": row["variant"],
                "first_day": shop.day(since),
                "since": since,
            }
    rows = [row for name, row in sorted(by_customer.items()) if name not in mixed]
    return rows, len(mixed)


def _leaks(shop: Shop, definition: Definition, exposed: Table) -> Mapping[str, int]:
    """Count customers of control who were sent an offer kept from them."""
    control, *others = definition.variants
    if control.offers is None:
        return {}
    kept_from = tuple(
        sorted({
            offer for one in others for offer in one.offers or () if offer not in control.offers
        })
    )
    if not kept_from:
        return {}
    contacts = renamed(
        shop.engine.table("contacts").select("customer_id", "offer_id", "at", "fate"),
        aliases(shop.state),
    )
    rows = leaked(contacts, exposed, offers=kept_from, control=control.name)
    return {control.name: len(shop.engine.rows(rows))}


def _facts(shop: Shop) -> dict[str, Table]:
    known, engine = aliases(shop.state), shop.engine
    found = {
        name: renamed(engine.table(name).select(*columns), known) for name, columns in FACTS.items()
    }
    return found | {
        "visits": renamed(engine.table("visits").select("customer_id", "business_date"), known),
        "products": engine.table("products"),
        "marked_orders": engine.table("marked_orders"),
    }


def _srm_p(counts: Mapping[str, int], design: Mapping[str, float]) -> float | None:
    if not sum(counts.values()):
        return None
    return check_sample_ratio([counts[name] for name in design], list(design.values())).p_value


def _days_left(kept: Kept, days_run: float, seen: int, planned: int) -> float | None:
    if kept.stand is not Stand.RUNNING:
        return 0.0
    if kept.definition.inference is Inference.ONCE:
        return float(max(math.ceil(kept.definition.days - days_run), 0))
    if planned and seen >= planned:
        return 0.0
    pace = seen / days_run if days_run >= 1 else (kept.plan.per_day if kept.plan else 0.0)
    if pace <= 0 or not planned:
        return None
    return float(math.ceil((planned - seen) / pace))


def _text(said: Readout) -> str:
    parts = {"counts": dict(said.counts), "findings": [asdict(one) for one in said.findings]}
    return json.dumps(parts, ensure_ascii=False, sort_keys=True)
