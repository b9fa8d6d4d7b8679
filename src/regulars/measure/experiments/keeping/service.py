"""Experiments in the state: kept as drafts, started, stopped, concluded; each change audited."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.govern.audit.service import record
from regulars.measure.experiments.keeping.definition import Definition
from regulars.measure.experiments.keeping.planning import PowerPlan
from regulars.measure.experiments.keeping.record import (
    Change,
    Conclusion,
    Kept,
    Look,
    Stand,
    as_text,
    kept_of,
    look_of,
)
from regulars.ports.state import Queries, State, Transaction

_SQL = Queries(__package__)
_HAIR = 1e-9


def put_experiment(state: State, definition: Definition, *, actor: str, now: datetime) -> Kept:
    """Keep a draft: a new one, or another form of one that has not started.

    Args:
        state: The transactional store.
        definition: The experiment.
        actor: Who writes it.
        now: The moment, aware.

    Returns:
        The experiment as it stands.

    Raises:
        NotAllowed: It has started: its variants, metrics and plan are locked.
    """
    with state.transaction() as opened:
        found = opened.all(_SQL["one"], id=definition.id)
        if found and found[0]["state"] != Stand.DRAFT:
            raise NotAllowed(
                "experiment-locked",
                f"{definition.id} is {found[0]['state']}, so it cannot be changed any more; keep "
                "it under another id",
            )
        text = json.dumps(definition.told(), ensure_ascii=False, sort_keys=True)
        at = _at(now)
        opened.run(_SQL["put"], id=definition.id, definition=text, actor=actor, at=at)
        _note(opened, definition.id, "put", actor=actor, now=now)
        return _one(opened, definition.id)


def drop_draft(state: State, experiment_id: str, *, actor: str, now: datetime) -> None:
    """Throw a draft away.

    Args:
        state: The transactional store.
        experiment_id: The experiment.
        actor: Who.
        now: The moment, aware.

    Raises:
        UnknownName: There is no such experiment.
        NotAllowed: It has started.
    """
    with state.transaction() as opened:
        _require(_one(opened, experiment_id), Stand.DRAFT, "thrown away")
        opened.run(_SQL["drop"], id=experiment_id)
        _note(opened, experiment_id, "drop", actor=actor, now=now)


def find_experiment(state: State, experiment_id: str) -> Kept:
    """Give one experiment.

    Returns:
        The experiment as it stands.

    Raises:
        UnknownName: There is no such experiment.
    """
    with state.reading() as opened:
        return _one(opened, experiment_id)


def list_kept(state: State) -> list[Kept]:
    """List the experiments people wrote, the one changed last first."""
    with state.reading() as opened:
        return [kept_of(row) for row in opened.all(_SQL["list"])]


def concluded(state: State) -> list[Conclusion]:
    """List what was learned from experiments, the newest first."""
    found = [one.conclusion for one in list_kept(state) if one.conclusion]
    return sorted(found, key=lambda one: (one.at, one.experiment_id), reverse=True)


def changes_of(state: State, experiment_id: str) -> list[Change]:
    """List the changes of an experiment, the oldest first."""
    with state.reading() as opened:
        return [Change(**row) for row in opened.all(_SQL["changes"], id=experiment_id)]


def counts_by_experiment(state: State) -> dict[str, dict[str, int]]:
    """Count who took part, by experiment and variant."""
    found: dict[str, dict[str, int]] = {}
    with state.reading() as opened:
        for row in opened.all(_SQL["counts"]):
            mine = found.setdefault(row["experiment_id"], {})
            mine[row["variant"]] = int(row["customers"])
    return found


def exposed_rows(state: State, experiment_id: str) -> list[dict[str, Any]]:
    """Give who took part: customer_id, variant and since when, by customer_id."""
    with state.reading() as opened:
        return opened.all(_SQL["exposed"], id=experiment_id)


def start_experiment(
    state: State,
    experiment_id: str,
    plan: PowerPlan,
    *,
    actor: str,
    now: datetime,
    anyway: str = "",
    seen_at: str = "",
) -> Kept:
    """Let an experiment take customers, in a slice of its layer that is free.

    Args:
        state: The transactional store.
        experiment_id: The experiment, a draft.
        plan: Customers and days it needs, as found just now.
        actor: Who lets it out.
        now: The moment, aware.
        anyway: Why it starts although too few customers will enter; "" to start only where
            enough do.
        seen_at: `edited_at` of the draft that was planned; "" for whichever there is.

    Returns:
        The experiment; nothing about it can be changed from now on.

    Raises:
        UnknownName: There is no such experiment.
        NotAllowed: It is no draft, was written anew since it was seen, its layer has no room, or
            it is too small to find anything.
    """
    with state.transaction() as opened:
        kept = _one(opened, experiment_id)
        _require(kept, Stand.DRAFT, "started")
        if seen_at and seen_at != kept.edited_at:
            raise NotAllowed(
                "experiment-changed",
                f"{kept.edited_by} wrote {experiment_id} anew at {kept.edited_at}, after it was "
                "seen; see it again, then start it",
            )
        if not plan.fits and not anyway.strip():
            raise NotAllowed(
                "experiment-power",
                f"{experiment_id} would not find what it looks for: {plan.says}; or say why it is "
                "to start anyway",
            )
        running = [kept_of(row) for row in opened.all(_SQL["list"]) if row["state"] == "running"]
        _require_salt(kept, running)
        first, last = _slice(kept.definition, running)
        at = _at(now)
        values = {"first": first, "last": last, "power_plan": as_text(plan), "at": at}
        opened.run(_SQL["start"], id=experiment_id, **values)
        _note(opened, experiment_id, "start", actor=actor, now=now, reason=anyway.strip())
        return _one(opened, experiment_id)


def stop_experiment(
    state: State, experiment_id: str, *, reason: str, actor: str, now: datetime
) -> Kept:
    """Take no more customers; whoever took part is read up to this moment.

    Args:
        state: The transactional store.
        experiment_id: The experiment, running.
        reason: Why; it is kept.
        actor: Who stops it.
        now: The moment, aware.

    Returns:
        The experiment.

    Raises:
        UnknownName: There is no such experiment.
        NotAllowed: It does not run.
        InputError: No reason is given.
    """
    if not reason.strip():
        raise InputError("no reason is given; say why it is stopped, it is kept beside the change")
    with state.transaction() as opened:
        _require(_one(opened, experiment_id), Stand.RUNNING, "stopped")
        opened.run(_SQL["stop"], id=experiment_id, at=_at(now))
        _note(opened, experiment_id, "stop", actor=actor, now=now, reason=reason.strip())
        return _one(opened, experiment_id)


def keep_conclusion(state: State, conclusion: Conclusion, *, now: datetime) -> Kept:
    """Put down what was decided; the experiment is over.

    Args:
        state: The transactional store.
        conclusion: What was decided, as `reading.conclude` found it may be.
        now: The moment, aware.

    Returns:
        The experiment.

    Raises:
        NotAllowed: It was not stopped.
    """
    name = conclusion.experiment_id
    with state.transaction() as opened:
        _require(_one(opened, name), Stand.STOPPED, "concluded")
        opened.run(_SQL["conclude"], id=name, at=_at(now), conclusion=as_text(conclusion))
        _note(
            opened,
            name,
            "conclude",
            actor=conclusion.actor,
            now=now,
            reason=conclusion.says,
            decision=conclusion.decision.value,
            variant=conclusion.variant,
        )
        return _one(opened, name)


def keep_look(
    state: State, experiment_id: str, look: Look, *, actor: str, readout: str, now: datetime
) -> Look:
    """Put down what a planned look said; who comes second is given what the first one saw.

    Returns:
        The look as it is kept.
    """
    with state.transaction() as opened:
        values = {"number": look.number, "share": look.share, "readout": readout, "actor": actor}
        if opened.run(_SQL["look"], id=experiment_id, at=_at(now), **values):
            _note(
                opened, experiment_id, "look", actor=actor, now=now,
                reason=f"look {look.number} at {look.share:.0%} of the planned customers",
            )  # fmt: skip
        rows = opened.all(_SQL["looks"], id=experiment_id)
    return next(look_of(row) for row in rows if row["number"] == look.number)


def looks_of(state: State, experiment_id: str) -> list[Look]:
    """List the looks taken so far, the oldest first."""
    with state.reading() as opened:
        return [look_of(row) for row in opened.all(_SQL["looks"], id=experiment_id)]


def _one(opened: Transaction, experiment_id: str) -> Kept:
    rows = opened.all(_SQL["one"], id=experiment_id)
    if not rows:
        known = [row["id"] for row in opened.all(_SQL["list"])]
        raise UnknownName("experiment", experiment_id, known)
    return kept_of(rows[0])


def _require(kept: Kept, stand: Stand, done: str) -> None:
    if kept.stand is not stand:
        raise NotAllowed(
            "experiment-state",
            f"{kept.definition.id} is {kept.stand}, must be {stand} to be {done}",
        )


def _require_salt(kept: Kept, running: Sequence[Kept]) -> None:
    """Two that share a salt would deal out alike, and their effects could not be told apart."""
    own = kept.definition
    for other in running:
        if other.definition.salt == own.salt:
            raise NotAllowed(
                "experiment-salt",
                f"{other.definition.id} runs with the salt {own.salt!r} too, so both would deal "
                "customers out alike; give another salt",
            )


def _slice(own: Definition, running: Sequence[Kept]) -> tuple[float, float]:
    """Find the first free part of the layer that is wide enough."""
    taken = sorted(
        (one.first, one.last, one.definition.id)
        for one in running
        if one.definition.layer == own.layer
    )
    place = 0.0
    for first, last, _name in taken:
        if first - place >= own.traffic - _HAIR:
            break
        place = max(place, last)
    if place + own.traffic > 1 + _HAIR:
        names = ", ".join(f"{name} {last - first:.0%}" for first, last, name in taken)
        raise NotAllowed(
            "experiment-layer",
            f"layer {own.layer} has no room for {own.traffic:.0%}: {names} run there; take less "
            "traffic or another layer, or wait",
        )
    return place, min(place + own.traffic, 1.0)


def _note(
    opened: Transaction,
    experiment_id: str,
    verb: str,
    *,
    actor: str,
    now: datetime,
    reason: str = "",
    **detail: str,
) -> None:
    [row] = opened.all(_SQL["next_change"])
    values = {"number": row["number"], "verb": verb, "actor": actor, "reason": reason}
    opened.run(_SQL["change"], id=experiment_id, at=_at(now), **values)
    record(
        opened,
        actor=actor,
        action=f"experiment.{verb}",
        subject=f"experiment/{experiment_id}",
        detail={"reason": reason, **detail},
        at=now,
    )


def _at(now: datetime) -> str:
    return now.astimezone(UTC).isoformat()
