"""Five scores per source, each from counts that stand beside it."""

from collections.abc import Mapping
from dataclasses import dataclass

from regulars.collect.quality.freshness import freshness
from regulars.collect.quality.plan import EventSeen

DEFINITIONS = {
    "freshness": "1 while the last sign is no older than expected, then expected over age",
    "completeness": "required values and ids that were there, of those that should have been",
    "consistency": "values of the kind that came first for their property",
    "uniqueness": "events or rows that had not come before",
    "validity": "events or rows let through, times the share that keeps the plan",
}
OF_FILES = {
    "completeness": "optional cells that were filled",
    "consistency": "orders whose total is the sum of their lines, to the cent",
}


@dataclass(frozen=True)
class QualityScore:
    """One score of one source.

    Attributes:
        source: The source of events, or the table files fed.
        kind: "events" or "files".
        dimension: freshness, completeness, consistency, uniqueness or validity.
        score: 0 to 1; None when there is nothing to count.
        means: What the score says.
        window_days: Days looked at; 0 for all there is.
        counts: The numbers it comes from.
    """

    source: str
    kind: str
    dimension: str
    score: float | None
    means: str
    window_days: int
    counts: Mapping[str, float]


def event_scores(
    source: str,
    *,
    fates: Mapping[str, int],
    seen: EventSeen,
    age_seconds: float | None,
    expected_seconds: float | None,
    window_days: int,
) -> tuple[QualityScore, ...]:
    """Score a source of events.

    Args:
        source: The source.
        fates: Its ledger: received, stored, duplicate, quarantined, suppressed.
        seen: What came of it, all events together.
        age_seconds: Seconds since its last event; None when none came within the window.
        expected_seconds: Seconds within which one should come; None when not known.
        window_days: Days freshness was looked for in.

    Returns:
        Five scores, in the order of `DEFINITIONS`.
    """
    values = sum(n for one in seen.properties.values() for n in one.kinds.values())
    conflicts = sum(one.conflicts for one in seen.properties.values())
    age = window_days * 86400.0 if age_seconds is None else age_seconds
    new = fates["received"] - fates["duplicate"]
    kept = _share(seen.checked - seen.breaching, seen.checked)
    through = _share(new - fates["quarantined"], new)
    rhythm = {} if expected_seconds is None else {"expected_seconds": expected_seconds}
    scores: dict[str, tuple[float | None, Mapping[str, float]]] = {
        "freshness": (freshness(age, expected_seconds), {"age_seconds": age} | rhythm),
        "completeness": (
            _share(seen.filled + seen.identified, seen.wanted + seen.checked),
            {name: getattr(seen, name) for name in ("wanted", "filled", "checked", "identified")},
        ),
        "consistency": (
            _share(values - conflicts, values),
            {"values": values, "conflicts": conflicts},
        ),
        "uniqueness": (
            _share(new, fates["received"]),
            {name: fates[name] for name in ("received", "duplicate")},
        ),
        "validity": (
            None if through is None else through * (1.0 if kept is None else kept),
            {"quarantined": fates["quarantined"]}
            | {name: getattr(seen, name) for name in ("checked", "breaching")},
        ),
    }
    days = {"freshness": window_days}
    return tuple(
        QualityScore(source, "events", name, score, DEFINITIONS[name], days.get(name, 0), counts)
        for name, (score, counts) in scores.items()
    )


def file_scores(
    table: str,
    *,
    counts: Mapping[str, float],
    age_days: float | None,
    expected_days: float | None,
    reconciled: Mapping[str, int] | None = None,
) -> tuple[QualityScore, ...]:
    """Score the files that feed one table.

    Args:
        table: The fact table.
        counts: received, duplicate, quarantined and empty (rows, weighted by empty cells).
        age_days: Days since the end of the last day files told of; None when rows have no day.
        expected_days: Usual days from one file's last day to the next; None when not known.
        reconciled: For orders: how many have lines, and how many agree with them.

    Returns:
        The scores there is something to count for, in the order of `DEFINITIONS`.
    """
    received = counts["received"]
    new = received - counts["duplicate"]
    found: dict[str, tuple[float | None, Mapping[str, float]]] = {}
    if age_days is not None:
        expected = None if expected_days is None else expected_days * 86400
        told = {"age_days": age_days} | (
            {} if expected_days is None else {"expected_days": expected_days}
        )
        found["freshness"] = freshness(age_days * 86400, expected), told
    empty = {"received": received, "empty": counts["empty"]}
    found["completeness"] = _share(received - counts["empty"], received), empty
    if reconciled is not None:
        found["consistency"] = _share(reconciled["agreeing"], reconciled["orders"]), reconciled
    found["uniqueness"] = (
        _share(new, received),
        {
            "received": received,
            "duplicate": counts["duplicate"],
        },
    )
    held = {"received": received, "quarantined": counts["quarantined"]}
    found["validity"] = _share(new - counts["quarantined"], new), held
    meanings = DEFINITIONS | OF_FILES
    return tuple(
        QualityScore(table, "files", name, score, meanings[name], 0, why)
        for name, (score, why) in found.items()
    )


def _share(part: float, whole: float) -> float | None:
    return max(0.0, part / whole) if whole else None
