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

from regulars.errors import NotAllowed
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
    to_be_taken,
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

_YEAR = 365
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
        global_holdout: Share of customers who take part in nothing.
    """

    engine: Reader
    state: State
    zone: str
    margin_rate: float
    global_holdout: float = 0.0

    def day(self, moment: datetime) -> date:
        """Give the day it is where the retailer is."""
        return moment.astimezone(ZoneInfo(self.zone)).date()


def baseline(shop: Shop, definition: Definition, *, now: datetime) -> Baseline:
    """Read how the primary metric of an experiment was in as many days as it is to last.

    Over customers who bought or came in the 28 days before those days, each watched all days. As
    many are expected to enter as came in those days, each counted once, less the global holdout.

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
    came = [
        (1 - shop.global_holdout) * _number_active(shop, facts, from_day, last)
        for from_day in (first, min(first, last - timedelta(days=_YEAR - 1)))
    ]
    return baseline_of(
        as_moments(found).at(0), metric.name, per_day=came[0] / definition.days, most=came[1]
    )


def _number_active(shop: Shop, facts: Mapping[str, Table], first: date, last: date) -> int:
    people = active_customers(facts["orders"], facts["visits"], from_day=first, to_day=last)
    return int(shop.engine.rows(people.aggregate(customers=people.count()))[0]["customers"])


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


def start(
    shop: Shop,
    experiment_id: str,
    *,
    actor: str,
    now: datetime,
    anyway: str = "",
    seen_at: str = "",
) -> Kept:
    """Plan an experiment by what is known today, and let it take customers.

    Args:
        shop: The workspace.
        experiment_id: The experiment, a draft.
        actor: Who lets it out.
        now: The moment, aware.
        anyway: Why it starts though it is too small; "" to start only where it is not.
        seen_at: `edited_at` of the draft that was looked at; "" for the one there is now.

    Returns:
        The experiment.

    Raises:
        UnknownName: There is no such experiment.
        NotAllowed: It is no draft, was written anew since, its layer is full, or it is too small.
    """
    kept = find_experiment(shop.state, experiment_id)
    plan = power_plan(shop, kept.definition, now=now)
    return start_experiment(
        shop.state,
        experiment_id,
        plan,
        actor=actor,
        now=now,
        anyway=anyway,
        seen_at=seen_at or kept.edited_at,
    )


def show(shop: Shop, kept: Kept, *, now: datetime) -> Shown:
    """Say what an experiment says now, or why it must not be read.

    Takes no look: where one is due, says so, and tells what the look before said.

    Args:
        shop: The workspace.
        kept: The experiment.
        now: The moment, aware.

    Returns:
        What it says. With a refusal it holds no effect at all.
    """
    return _shown(shop, kept, actor="", now=now)


def take_look(shop: Shop, experiment_id: str, *, actor: str, now: datetime) -> Shown:
    """Take the look that is due, and keep what it says for everybody.

    Args:
        shop: The workspace.
        experiment_id: The experiment; read at planned looks, or once.
        actor: Who looks.
        now: The moment, aware.

    Returns:
        What the look says; where another was faster, what that one says.

    Raises:
        UnknownName: There is no such experiment.
        NotAllowed: No look is due, or a gate is closed; nothing was looked at.
    """
    kept = find_experiment(shop.state, experiment_id)
    if not show(shop, kept, now=now).due:
        raise NotAllowed(
            "experiment-look", f"no look at {experiment_id} is due; show it to see when one is"
        )
    found = _shown(shop, kept, actor=actor, now=now)
    if found.refusals:
        raise NotAllowed("experiment-gates", f"nothing was looked at: {found.refusals[0].says}")
    return found


def _shown(shop: Shop, kept: Kept, *, actor: str, now: datetime) -> Shown:
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
    said, looks, due = _read(shop, kept, customers, progress, actor=actor, now=now)
    planned, seen = kept.plan.customers if kept.plan else 0, sum(said.counts.values())
    return Shown(
        said.counts,
        _srm_p(said.counts, kept.definition.design),
        said.refusals,
        said.findings,
        planned,
        days_run,
        _days_left(shop, kept, days_run, seen, planned, now=now),
        looks,
        left_out,
        due,
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
    anyway: str = "",
) -> Conclusion:
    """Decide what follows from a stopped experiment, and keep it as learned.

    A look that is due is taken.

    Args:
        shop: The workspace.
        experiment_id: The experiment.
        decision: Adopt a variant, keep control, or nothing learned.
        says: What was learned, in a person's words.
        actor: Who decides.
        now: The moment, aware.
        variant: The variant adopted; "" otherwise.
        anyway: Why a variant is adopted that was not told from control; "" to adopt only a better
            one.

    Returns:
        The conclusion, which cites the experiment.

    Raises:
        UnknownName: There is no such experiment.
        NotAllowed: It was not stopped, a gate is closed, the primary metric or a guardrail got
            worse, or nothing was told from control and no reason is given.
        InputError: Nothing is said, or the variant is not one of its own.
    """
    kept = find_experiment(shop.state, experiment_id)
    if kept.stand is not Stand.STOPPED:
        raise NotAllowed(
            "experiment-state",
            f"{experiment_id} is {kept.stand}, must be {Stand.STOPPED} to be concluded",
        )
    found = conclusion_from(
        kept.definition,
        _shown(shop, kept, actor=actor, now=now),
        decision,
        variant,
        says=says,
        actor=actor,
        at=now.astimezone(UTC).isoformat(),
        anyway=anyway,
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
) -> tuple[Readout, tuple[Look, ...], int]:
    """What may be told, the looks taken and the look that is due; somebody named takes it."""
    definition, planned = kept.definition, kept.plan.customers if kept.plan else 0
    is_once, is_over = definition.inference is Inference.ONCE, _is_over(shop, kept, now)
    looks = looks_of(shop.state, definition.id)
    if is_once and looks:
        counts = {name: looks[0].counts.get(name, 0) for name in definition.design}
        return Readout(counts, (), looks[0].findings), tuple(looks), 0
    if definition.inference is Inference.ANY_TIME or (
        is_once and (progress.days_run or 0.0) < definition.days
    ):
        plan = plan_of(definition, planned=planned, information=())
        return read_out(customers, plan, progress), (), 0
    taken = [one.share for one in looks]
    share = 0.0 if is_once or not planned else min(customers.num_rows / planned, 1.0)
    if is_over:
        share = 1.0
    due = len(looks) + 1 if look_due(definition, taken, share=share) else 0
    if not due or not actor:
        return _between(kept, customers, progress, looks, share=share, due=due), tuple(looks), due
    plan = plan_of(definition, planned=planned, information=(*taken, share))
    said = read_out(customers, plan, progress)
    if said.is_refused:
        return said, tuple(looks), due
    look = Look(due, share, said.findings, said.counts, "")
    look = keep_look(shop.state, definition.id, look, actor=actor, readout=_text(said), now=now)
    counts = {name: look.counts.get(name, 0) for name in definition.design}
    return Readout(counts, (), look.findings), tuple(looks_of(shop.state, definition.id)), 0


def _is_over(shop: Shop, kept: Kept, now: datetime) -> bool:
    """Tell whether all its days are over; of ONCE also the calendar day the last one ends in."""
    begun, ended = _from_to(kept, now)
    if ended - begun < timedelta(days=kept.definition.days):
        return False
    # Orders are counted by day, so those of the last day may still come.
    return kept.definition.inference is not Inference.ONCE or shop.day(now) > shop.day(ended)


def _between(
    kept: Kept,
    customers: pa.Table,
    progress: Progress,
    looks: Sequence[Look],
    *,
    share: float,
    due: int,
) -> Readout:
    """Between two looks nothing new is read: what the last one said, while the gates are open."""
    definition = kept.definition
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
        if not looks and not due:
            refusals.append(not_due(definition, [], share=share))
        elif not refusals:
            refusals.append(to_be_taken(definition, due))
        return Readout(found, tuple(refusals), ())
    return Readout(found, (), looks[-1].findings)


def _from_to(kept: Kept, now: datetime) -> tuple[datetime, datetime]:
    """Moments between which an experiment is read."""
    # One that is read once ends with its last day, however late it is read.
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


def _days_left(
    shop: Shop, kept: Kept, days_run: float, seen: int, planned: int, *, now: datetime
) -> float | None:
    if kept.stand is not Stand.RUNNING:
        return 0.0
    if kept.definition.inference is Inference.ONCE:
        begun = datetime.fromisoformat(kept.started_at)
        last = shop.day(begun + timedelta(days=kept.definition.days))
        return float(max((last - shop.day(now)).days + 1, 0))
    if planned and seen >= planned:
        return 0.0
    pace = seen / days_run if days_run >= 1 else (kept.plan.per_day if kept.plan else 0.0)
    if pace <= 0 or not planned:
        return None
    return float(math.ceil((planned - seen) / pace))


def _text(said: Readout) -> str:
    parts = {"counts": dict(said.counts), "findings": [asdict(one) for one in said.findings]}
    return json.dumps(parts, ensure_ascii=False, sort_keys=True)
