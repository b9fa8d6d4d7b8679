"""Whether the graph of a journey can be walked: every way leads somewhere, no circle is endless."""

from collections.abc import Iterator

from regulars.errors import InputError
from regulars.reach.journeys.definition.journey import Journey
from regulars.reach.journeys.definition.nodes import HOLDING, NodeKind, Send


def check_graph(journey: Journey) -> None:
    """Refuse a graph that cannot be walked.

    Args:
        journey: The journey.

    Raises:
        InputError: A way leads to no node, a node is never reached, somebody could never leave,
            a circle holds no wait, or a message follows a decision nobody made.
    """
    for node in journey.nodes.values():
        for edge in node.edges:
            if edge.target not in journey.nodes:
                raise InputError(
                    f"nodes.{node.name}: {edge.label} leads to {edge.target!r}, which is no node; "
                    f"nodes: {', '.join(journey.nodes)}"
                )
    for number, entry in enumerate(journey.entries):
        if entry.start not in journey.nodes:
            raise InputError(
                f"entry[{number}] starts at {entry.start!r}, which is no node; "
                f"nodes: {', '.join(journey.nodes)}"
            )
    _check_reached(journey)
    _check_leaving(journey)
    _check_circles(journey)
    _check_decided(journey)


def reached_from(journey: Journey, start: str) -> set[str]:
    """Name every node that can be reached from one, itself included.

    Args:
        journey: The journey.
        start: Where one begins.

    Returns:
        Names of nodes.
    """
    found, ahead = {start}, [start]
    while ahead:
        for edge in journey.nodes[ahead.pop()].edges:
            if edge.target not in found:
                found.add(edge.target)
                ahead.append(edge.target)
    return found


def undecided_message(journey: Journey, start: str) -> str:
    """Find a message that follows a decision and is come to from a node without one.

    Args:
        journey: The journey.
        start: Where one begins, nothing decided.

    Returns:
        Name of the message; "" when there is none.
    """
    undecided: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name in undecided:
            continue
        undecided.add(name)
        node = journey.nodes[name]
        if isinstance(node.does, Send) and node.does.follows_decision:
            return name
        ahead += [
            edge.target
            for edge in node.edges
            if node.kind is not NodeKind.DECIDE or edge.label != "chosen"
        ]
    return ""


def _check_reached(journey: Journey) -> None:
    reached = set[str]().union(*(reached_from(journey, entry.start) for entry in journey.entries))
    lost = [name for name in journey.nodes if name not in reached]
    if lost:
        raise InputError(
            f"nodes.{lost[0]} is reached from no entry; lead a way to it, or take it out"
        )


def _check_leaving(journey: Journey) -> None:
    """Everybody must be able to reach an exit, or she would stay inside for ever."""
    ends = {name for name, node in journey.nodes.items() if node.kind is NodeKind.EXIT}
    for name in journey.nodes:
        if not ends & reached_from(journey, name):
            raise InputError(
                f"nodes.{name} leads to no exit: whoever comes to it would never leave; "
                "add a node of kind 'exit' and lead a way to it"
            )


def _check_circles(journey: Journey) -> None:
    """A circle nobody waits in would be walked for ever within one moment."""
    done: set[str] = set()
    for start in journey.nodes:
        path = [start]
        walk = [(start, _at_once(journey, start))]
        while walk:
            name, ways = walk[-1]
            target = next((one for one in ways if one not in done), None)
            if target is None:
                done.add(name)
                path.pop()
                walk.pop()
            elif target in path:
                circle = " -> ".join([*path[path.index(target) :], target])
                raise InputError(
                    f"the circle {circle} has no wait: it would be walked for ever at once; "
                    "put a node of kind 'wait' or 'wait_for_event' into it"
                )
            else:
                path.append(target)
                walk.append((target, _at_once(journey, target)))


def _at_once(journey: Journey, name: str) -> Iterator[str]:
    """Nodes one may come to from a node within the same moment."""
    node = journey.nodes[name]
    return iter([] if node.kind in HOLDING else [edge.target for edge in node.edges])


def _check_decided(journey: Journey) -> None:
    """Whoever comes to a message that follows a decision must have passed a decide node."""
    starts = [entry.start for entry in journey.entries]
    for node in journey.nodes.values():
        if node.kind is NodeKind.DECIDE:
            # Where nothing was chosen, what was decided before no longer holds.
            starts += [edge.target for edge in node.edges if edge.label != "chosen"]
    for start in starts:
        name = undecided_message(journey, start)
        if name:
            raise InputError(
                f"nodes.{name} follows a decision, and a way leads to it that passes no decide "
                "node; put one before it, or name its channels and offer"
            )
