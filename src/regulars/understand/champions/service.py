"""The registry of models in the state: who serves, who was tried, who was promoted by whom."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.govern.audit.service import record
from regulars.numerics.days import day_of
from regulars.ports.state import Queries, State, Transaction
from regulars.understand.champions.family import DEFAULTS, NAMES, Family
from regulars.understand.champions.serving import Serving
from regulars.understand.champions.verdict import NEVER, Trial, Verdict

SYSTEM = "loop"
_SQL = Queries(__package__)


@dataclass(frozen=True)
class Model:
    """One version of a model: a recipe, and how it did when it was tried last.

    Attributes:
        family: What it answers: value, orders, churn or response.
        version: Name of the recipe.
        status: champion (serves), challenger (may be promoted), shadow (a gate stopped it, or
            it was not tried yet) or retired (served before).
        fitted_at: Moment of its last trial, ISO 8601; "" before one.
        from_day: First day it was fitted on; "" before a trial.
        to_day: Last day it was fitted on.
        held_from: First held-out day.
        held_until: Last held-out day.
        customers: Customers it was judged on.
        metrics: loss (a proper score, less is better) and calibration on the held-out weeks.
    """

    family: str
    version: str
    status: str
    fitted_at: str
    from_day: str
    to_day: str
    held_from: str
    held_until: str
    customers: int
    metrics: Mapping[str, float | None]


@dataclass(frozen=True)
class Change:
    """One change of who serves.

    Attributes:
        family: What the model answers.
        from_turn: First turn the recipe serves in.
        version: The recipe.
        verb: promote, rollback or guard (the champion could not serve).
        actor: Who.
        reason: Why.
        at: When, ISO 8601.
    """

    family: str
    from_turn: int
    version: str
    verb: str
    actor: str
    reason: str
    at: str


@dataclass(frozen=True)
class Line:
    """One model family as a reader sees it.

    Attributes:
        family: What it answers.
        champion: What serves.
        from_turn: Since which turn; 0 from the start.
        models: Its versions, the champion first.
        trials: What was tried, the newest first.
        changes: Changes of who serves, the newest first.
    """

    family: str
    champion: str
    from_turn: int
    models: tuple[Model, ...]
    trials: tuple[Mapping[str, Any], ...]
    changes: tuple[Change, ...]


def serving(state: State, *, turn: int, now: datetime) -> dict[Family, Serving]:
    """Tell who serves in a turn.

    Args:
        state: The transactional store.
        turn: The turn.
        now: The moment, aware; noted when a champion cannot serve.

    Returns:
        By family; a champion that cannot serve is rolled back, and that is put down.
    """
    found = {}
    for family in Family:
        with state.reading() as opened:
            rows = opened.all(_SQL["serving"], family=family.value, turn=turn)
        found[family] = _serving(state, family, rows, turn=turn, now=now)
    return found


def _serving(
    state: State, family: Family, rows: Sequence[Mapping[str, Any]], *, turn: int, now: datetime
) -> Serving:
    # Who serves again is named once, so that it is not asked twice in one turn.
    ladder = dict.fromkeys(reversed(_stack(family, rows)))

    def fell(name: str, instead: str, why: str) -> None:
        place = (turn, instead, "guard")
        _change(state, family, place, actor=SYSTEM, reason=f"{name}: {why}", now=now)

    return Serving(family, tuple(ladder), rows[-1]["from_turn"] if rows else 0, fell)


def _stack(family: Family, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Champions that may still be gone back to, the present one last; the default stays below."""
    stack = [DEFAULTS[family]]
    for row in rows:
        version = row["version"]
        if version not in NAMES[family]:
            continue
        if row["verb"] == "promote":
            stack = stack[:1] + [name for name in stack[1:] if name != version] + [version]
            continue
        while len(stack) > 1 and stack[-1] != version:
            stack.pop()
    return stack


def keep_trials(
    state: State,
    trials: Sequence[Trial],
    *,
    turn: int,
    now: datetime,
    is_automatic: bool,
    first_day: str = "",
) -> str:
    """Put down what was tried, and promote the best challenger if one is better.

    Doing it again for the same turn changes nothing.

    Args:
        state: The transactional store.
        trials: Trials of one family.
        turn: The turn; who is promoted serves from the next one on.
        now: The moment, aware.
        is_automatic: False leaves promoting to a person.
        first_day: First day of the history, ISO; "" when not known.

    Returns:
        Who was promoted; "" for nobody.
    """
    if not trials:
        return ""
    family = trials[0].family
    with state.transaction() as opened:
        for one in trials:
            opened.run(_SQL["keep_trial"], **_trial_row(one, turn, now))
            status = "shadow" if one.verdict in NEVER | {Verdict.TOO_FEW} else "challenger"
            _keep_model(opened, one, one.challenger, status, now, first_day)
        _keep_model(opened, trials[0], trials[0].champion, "champion", now, first_day)
    better = [one for one in trials if one.verdict is Verdict.BETTER and one.difference]
    if not better or not is_automatic:
        return ""
    best = min(better, key=lambda one: (one.mine.loss, one.challenger))
    assert best.difference is not None
    reason = (
        f"loss {best.mine.loss:.4g} against {best.theirs.loss:.4g} of {best.champion} on the same "
        f"{best.customers} customers; difference {best.difference.estimate:.3g} "
        f"({best.difference.low:.3g} to {best.difference.high:.3g})"
    )
    place = (turn + 1, best.challenger, "promote")
    _change(state, family, place, actor=SYSTEM, reason=reason, now=now)
    return best.challenger


def is_unseen(state: State, family: Family, *, turn: int, held_from: int) -> bool:
    """Tell whether no trial of an earlier turn was made on the days that would be held out.

    Args:
        state: The transactional store.
        family: Whose trials.
        turn: The turn of the trial to be made; its own trials do not count, so that an
            interrupted turn makes the same ones.
        held_from: Day number after which everything would be held out.

    Returns:
        True where the last held-out day so far is not after it.
    """
    with state.reading() as opened:
        [row] = opened.all(_SQL["last_held"], family=family.value, turn=turn)
    return not row["held_until"] or row["held_until"] <= day_of(held_from).isoformat()


def promote(
    state: State, family: str, version: str, *, turn: int, actor: str, reason: str, now: datetime
) -> None:
    """Let a recipe serve from a turn on, because a person says so.

    Args:
        state: The transactional store.
        family: value, orders, churn or response.
        version: The recipe.
        turn: First turn it serves in.
        actor: Who says so.
        reason: Why, not empty.
        now: The moment, aware.

    Raises:
        UnknownName: There is no such family or recipe.
        InputError: It serves already, or no reason is given.
        NotAllowed: It was never tried, or it was and gave no usable prediction or read later
            days. The default need not be tried: it serves until another is promoted.
    """
    kind = _family(family)
    if version not in NAMES[kind]:
        raise UnknownName(f"recipe of {family}", version, NAMES[kind])
    if not reason.strip():
        raise InputError("no reason is given; say why, it is kept beside the change")
    if serving(state, turn=turn, now=now)[kind].champion == version:
        raise InputError(f"{version} serves already for {family}; there is nothing to promote")
    _refuse(state, kind, version)
    place = (turn, version, "promote")
    _change(state, kind, place, actor=actor, reason=reason.strip(), now=now)


def _refuse(state: State, family: Family, version: str) -> None:
    """Refuse a recipe whose last trial found that it never may serve, or that had none.

    Raises:
        NotAllowed: It may not serve.
    """
    with state.reading() as opened:
        tried = opened.all(_SQL["last_trial"], family=family.value, version=version)
    why = ""
    if tried and Verdict(tried[0]["verdict"]) in NEVER:
        why = (
            f"in turn {tried[0]['turn']} it was found {tried[0]['verdict']} ({tried[0]['says']}); "
            "mend it, then try it again"
        )
    elif not tried and version != DEFAULTS[family]:
        is_asked = family is not Family.RESPONSE
        remedy = "run: regulars adjust models try" if is_asked else "the loop tries it in time"
        why = f"it was never tried; {remedy}"
    if why:
        raise NotAllowed("model-gates", f"{version} may not serve for {family.value}: {why}")


def rollback(
    state: State, family: str, *, turn: int, actor: str, reason: str, now: datetime
) -> str:
    """Go back to the champion before.

    Args:
        state: The transactional store.
        family: value, orders, churn or response.
        turn: First turn it serves in again.
        actor: Who says so.
        reason: Why, not empty.
        now: The moment, aware.

    Returns:
        Who serves again.

    Raises:
        UnknownName: There is no such family.
        InputError: Nobody served before, or no reason is given.
    """
    kind = _family(family)
    if not reason.strip():
        raise InputError("no reason is given; say why, it is kept beside the change")
    ladder = serving(state, turn=turn, now=now)[kind].ladder
    if len(ladder) == 1:
        raise InputError(f"{ladder[0]} has served for {family} from the start; nobody was before")
    place = (turn, ladder[1], "rollback")
    _change(state, kind, place, actor=actor, reason=reason.strip(), now=now)
    return ladder[1]


def lines(state: State, *, turn: int, now: datetime) -> list[Line]:
    """Give every family with its versions, trials and changes.

    Args:
        state: The transactional store.
        turn: The turn whose champions are wanted, usually the next one.
        now: The moment, aware.

    Returns:
        One per family.
    """
    serves = serving(state, turn=turn, now=now)
    with state.reading() as opened:
        models, trials, changes = (
            opened.all(_SQL[name]) for name in ("models", "trials", "changes")
        )
    return [_line(family, serves[family], models, trials, changes) for family in Family]


def _line(
    family: Family,
    serves: Serving,
    models: Sequence[Mapping[str, Any]],
    trials: Sequence[Mapping[str, Any]],
    changes: Sequence[Mapping[str, Any]],
) -> Line:
    kept = {row["version"]: row for row in models if row["family"] == family.value}
    found = [
        _model(family, version, kept.get(version), serves)
        for version in NAMES[family]
    ]  # fmt: skip
    found.sort(key=lambda one: one.status != "champion")
    mine = [row for row in changes if row["family"] == family.value]
    return Line(
        family.value,
        serves.champion,
        serves.from_turn,
        tuple(found),
        tuple(
            dict(row) | {"metrics": json.loads(row["metrics"])}
            for row in trials
            if row["family"] == family.value
        ),
        tuple(
            Change(**{name: row[name] for name in Change.__annotations__})
            for row in reversed(mine)
        ),
    )  # fmt: skip


def _model(family: Family, version: str, row: Mapping[str, Any] | None, serves: Serving) -> Model:
    if row is None:
        status = "shadow"
        values: dict[str, Any] = dict.fromkeys(
            ("fitted_at", "from_day", "to_day", "held_from", "held_until"), ""
        )
        values |= {"customers": 0, "metrics": {}}
    else:
        status = row["status"]
        values = {
            name: row[name]
            for name in Model.__annotations__
            if name not in {"family", "version", "status", "metrics"}
        }
        values["metrics"] = json.loads(row["metrics"])
    if version == serves.champion:
        status = "champion"
    elif version in serves.ladder[1:]:
        status = "retired"
    elif status == "champion":
        status = "challenger"
    return Model(family=family.value, version=version, status=status, **values)


def _change(
    state: State,
    family: Family,
    place: tuple[int, str, str],
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    """Put down from which turn on who serves; the same once more changes nothing."""
    from_turn, version, verb = place
    values = {"family": family.value, "from_turn": from_turn, "version": version, "verb": verb}
    with state.transaction() as opened:
        if actor == SYSTEM and opened.all(_SQL["same_change"], **values):
            return
        [row] = opened.all(_SQL["next_change"])
        opened.run(
            _SQL["change"],
            **values,
            number=row["number"],
            actor=actor,
            reason=reason,
            at=now.isoformat(),
        )
        record(
            opened,
            actor=actor,
            action=f"model.{verb}",
            subject=f"model/{family.value}",
            detail={"version": version, "from_turn": from_turn, "reason": reason},
            at=now,
        )
        opened.run(_SQL["name_model"], family=family.value, version=version, status="champion")


def _keep_model(
    opened: Transaction, trial: Trial, version: str, status: str, now: datetime, first_day: str
) -> None:
    standing = trial.theirs if version == trial.champion else trial.mine
    opened.run(
        _SQL["keep_model"],
        family=trial.family.value,
        version=version,
        status=status,
        fitted_at=now.isoformat(),
        from_day=first_day,
        to_day=day_of(trial.held_from).isoformat(),
        held_from=day_of(trial.held_from + 1).isoformat(),
        held_until=day_of(trial.held_until).isoformat(),
        customers=trial.customers,
        metrics=_json(asdict(standing)),
    )


def _trial_row(trial: Trial, turn: int, now: datetime) -> dict[str, Any]:
    found: dict[str, Any] = {
        "loss": trial.mine.loss,
        "champion_loss": trial.theirs.loss,
        "calibration": trial.mine.calibration,
        "champion_calibration": trial.theirs.calibration,
    }
    if trial.difference:
        found |= asdict(trial.difference)
    return {
        "family": trial.family.value,
        "turn": turn,
        "challenger": trial.challenger,
        "champion": trial.champion,
        "verdict": trial.verdict.value,
        "customers": trial.customers,
        "held_from": day_of(trial.held_from + 1).isoformat(),
        "held_until": day_of(trial.held_until).isoformat(),
        "metrics": _json(found),
        "says": trial.says,
        "at": now.isoformat(),
    }


def _json(values: Mapping[str, float]) -> str:
    """Write numbers; one that is none becomes empty."""
    plain = {name: value if value == value else None for name, value in values.items()}  # noqa: PLR0124
    return json.dumps(plain, sort_keys=True)


def _family(name: str) -> Family:
    try:
        return Family(name)
    except ValueError:
        raise UnknownName("model", name, [one.value for one in Family]) from None
