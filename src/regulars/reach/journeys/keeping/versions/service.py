"""Read a version of a journey with its numbers; give new names a number."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from regulars.ports.state import Queries, Transaction
from regulars.reach.journeys.definition.journey import Journey
from regulars.reach.journeys.definition.reading import read_journey

MOST_KEPT = 200
_SQL = Queries(__package__)


@dataclass(frozen=True, slots=True)
class Numbered:
    """One version of a journey and the numbers it is kept by.

    Attributes:
        journey_no: Number of the journey.
        version: Number of the version.
        journey: What it says.
        number_by_node: Number by name of node; a name has the same one in every version.
        node_by_number: The other way round.
        number_by_event: Number by name of event it listens to.
    """

    journey_no: int
    version: int
    journey: Journey
    number_by_node: Mapping[str, int]
    node_by_number: Mapping[int, str]
    number_by_event: Mapping[str, int]


class Shelf:
    """Versions read so far: they never change, so each is read once."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._held: dict[tuple[int, int], Numbered] = {}

    def get(self, opened: Transaction, journey_no: int, version: int) -> Numbered:
        """Give a version that was published.

        Args:
            opened: Any transaction.
            journey_no: The journey.
            version: The version.

        Returns:
            The version with its numbers.
        """
        found = self._held.get((journey_no, version))
        if found is None:
            if len(self._held) >= MOST_KEPT:
                self._held.clear()
            found = self._held[journey_no, version] = numbered(opened, journey_no, version)
        return found


def numbered(opened: Transaction, journey_no: int, version: int) -> Numbered:
    """Read a version with the numbers its nodes and events have.

    Args:
        opened: Any transaction.
        journey_no: The journey.
        version: The version.

    Returns:
        The version; nodes and events that were never published have no number.
    """
    [row] = opened.all(_SQL["definition"], journey_no=journey_no, version=version)
    journey = read_journey(json.loads(row["definition"]))
    rows = opened.all(_SQL["nodes"], journey_no=journey_no)
    by_name = {one["name"]: one["node_no"] for one in rows}
    return Numbered(
        journey_no,
        version,
        journey,
        by_name,
        {number: name for name, number in by_name.items()},
        _events(opened, journey),
    )


def give_numbers(opened: Transaction, journey_no: int, version: int) -> Numbered:
    """Give every node and event of a version its number.

    Args:
        opened: A write transaction nobody else writes beside.
        journey_no: The journey.
        version: The version.

    Returns:
        The version with its numbers.
    """
    found = numbered(opened, journey_no, version)
    new = [name for name in found.journey.nodes if name not in found.number_by_node]
    first = max(found.node_by_number, default=0) + 1
    opened.many(
        _SQL["add_node"],
        [
            {"journey_no": journey_no, "node_no": number, "name": name}
            for number, name in enumerate(new, first)
        ],
    )
    [row] = opened.all(_SQL["next_event"])
    unknown = [name for name in found.journey.events if name not in found.number_by_event]
    opened.many(
        _SQL["add_event"],
        [{"event_no": number, "name": name} for number, name in enumerate(unknown, row["number"])],
    )
    return numbered(opened, journey_no, version)


def listen(opened: Transaction, journey_no: int, current: Numbered) -> None:
    """Write down which events a journey listens to.

    Those of versions that customers still walk by count too; coming in is up to the current one.

    Args:
        opened: A write transaction.
        journey_no: The journey.
        current: The version that customers come in by.
    """
    rows = opened.all(_SQL["inside_versions"], journey_no=journey_no)
    others = [numbered(opened, journey_no, row["version"]) for row in rows]
    takes_out: dict[int, bool] = {}
    for one in (current, *others):
        ends = {exit_on.event for exit_on in one.journey.exits}
        for name in one.journey.events:
            number = one.number_by_event[name]
            takes_out[number] = takes_out.get(number, False) or name in ends
    opened.run(_SQL["drop_listens"], journey_no=journey_no)
    opened.many(
        _SQL["add_listen"],
        [
            {"event_no": number, "journey_no": journey_no, "takes_out": int(is_end)}
            for number, is_end in sorted(takes_out.items())
        ],
    )


def _events(opened: Transaction, journey: Journey) -> dict[str, int]:
    rows = opened.all(_SQL["events"], names=json.dumps(journey.events))
    return {row["name"]: row["event_no"] for row in rows}
