"""What a reader asks first: figures drawn from a report, each by one small rule."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from regulars.measure.effects import PooledEffect, pooled_over_turns
from regulars.rehearse.report.contract import Adjustment, Effect, Report, TurnOfTwin

LAST = 4
"""Turns at the end over which policies are compared: what was learned by then counts."""


@dataclass(frozen=True)
class Standing:
    """One policy against contacting nobody, in true margin after contact cost.

    Attributes:
        name: The policy.
        total: Extra margin of all turns together.
        last: Mean extra margin of each of the last turns.
        share_of_informed: `last` over that of the informed policy; None when it earns nothing.
        share_of_oracle: `last` over that of the oracle; None when it earns nothing.
        contacts: Contacts of all turns; None when not told.
        opted_out: Customers who left a channel; None when not told.
    """

    name: str
    total: float
    last: float
    share_of_informed: float | None
    share_of_oracle: float | None
    contacts: int | None
    opted_out: int | None


def extra_margin(report: Report) -> dict[str, list[float]]:
    """Give every policy's true margin beyond that of contacting nobody, turn by turn.

    Returns:
        By policy, without "nobody"; empty when the report knows no such policy.
    """
    nobody = report["policies"].get("nobody")
    if nobody is None:
        return {}
    return {
        name: [a - b for a, b in zip(run["margin_by_turn"], nobody["margin_by_turn"], strict=True)]
        for name, run in report["policies"].items()
        if name != "nobody"
    }


def standings(report: Report) -> list[Standing]:
    """Rank the policies by what they earned in the last turns.

    Returns:
        One standing per policy but "nobody", best first.
    """
    extra = extra_margin(report)
    last = {name: _mean(values[-LAST:]) for name, values in extra.items()}
    found = []
    for name, values in extra.items():
        run = report["policies"][name]
        contacts, left = run.get("contacts_by_turn"), run.get("opted_out_by_turn")
        found.append(
            Standing(
                name,
                sum(values),
                last[name],
                _share(last[name], last.get("informed")),
                _share(last[name], last.get("oracle")),
                sum(contacts) if contacts is not None else None,
                sum(left) if left is not None else None,
            )
        )
    return sorted(found, key=lambda one: (-one.last, one.name))


def is_read(effect: Effect | None) -> bool:
    """Say whether an effect may be read: it was measured and its groups were sound."""
    return effect is not None and effect["estimate"] is not None


def covers(turn: TurnOfTwin) -> bool | None:
    """Say whether a turn's interval holds the truth; None when there is no interval."""
    effect = turn["effect"]
    if effect is None or effect["low"] is None or effect["high"] is None:
        return None
    return effect["low"] <= turn["truth"] <= effect["high"]


def all_turns(turns: Sequence[TurnOfTwin]) -> tuple[PooledEffect, float] | None:
    """Add up the measured effects of turns, and their truths.

    Returns:
        The pooled effect and the truth of the same turns; None when nothing was measured.
    """
    read = [(turn["effect"], turn["truth"]) for turn in turns if is_read(turn["effect"])]
    if not read:
        return None
    estimates = [effect["estimate"] or 0.0 for effect, _ in read if effect]
    mdes = [effect["mde"] or 0.0 for effect, _ in read if effect]
    level = next(effect["level"] for effect, _ in read if effect)
    return pooled_over_turns(estimates, mdes, level=level), sum(truth for _, truth in read)


def reasons(turns: Sequence[TurnOfTwin]) -> list[tuple[str, str, int]]:
    """Count why customers were not contacted, over all turns.

    Returns:
        Fate, reason and customers, most frequent first.
    """
    counted: Counter[tuple[str, str]] = Counter()
    for turn in turns:
        for fate, found in (("skipped", turn["skipped"]), ("failed", turn["failed"])):
            counted.update({(fate, reason): count for reason, count in found.items()})
    return sorted(((f, r, n) for (f, r), n in counted.items()), key=lambda row: (-row[2], row))


@dataclass(frozen=True)
class Change:
    """What became of one belief over all turns.

    Attributes:
        subject: What was adjusted.
        times: Turns in which it changed.
        first: Value before the first change; None when there was none.
        last: Value after the last change.
    """

    subject: str
    times: int
    first: float | None
    last: float


def changes(adjustments: Sequence[Adjustment]) -> list[Change]:
    """Gather adjustments by subject.

    Returns:
        One change per subject, by subject.
    """
    by_subject: defaultdict[str, list[Adjustment]] = defaultdict(list)
    for row in sorted(adjustments, key=lambda row: row["turn"]):
        by_subject[row["subject"]].append(row)
    return [
        Change(subject, len(rows), rows[0]["before"], rows[-1]["after"])
        for subject, rows in sorted(by_subject.items())
    ]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _share(part: float, whole: float | None) -> float | None:
    return part / whole if whole is not None and whole > 0 else None
