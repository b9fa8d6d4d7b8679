"""What becomes of those inside when a version takes the place of another."""

from collections.abc import Mapping
from dataclasses import dataclass

from regulars.errors import InputError, UnknownName
from regulars.reach.journeys.definition.graph import undecided_message
from regulars.reach.journeys.definition.journey import Journey
from regulars.reach.journeys.definition.nodes import Node, Wait, WaitForEvent

STAY, EXIT = "stay", "exit"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done with those who stand at the nodes of the old version.

    Attributes:
        unchanged: Nodes both have that hold nobody otherwise: they go on by the new version.
        shifted: Waits both have: by how many milliseconds they are longer now, by node.
        moved: Node they arrive at anew, by node they stand at.
        taken_out: Nodes whoever stands at leaves the journey.
        stay: Nodes whoever stands at walks on by the old version to the end.
    """

    unchanged: tuple[str, ...]
    shifted: Mapping[str, int]
    moved: Mapping[str, str]
    taken_out: tuple[str, ...]
    stay: tuple[str, ...]


def read_moves(given: str) -> dict[str, str]:
    """Read a map as it is written on the command line.

    Args:
        given: Such as "day-3=day-4,quiz=exit,survey=stay"; "" for none.

    Returns:
        stay, exit or the name of a node, by node.

    Raises:
        InputError: A part is no pair.

    Example:
        >>> read_moves("day-3=day-4, quiz=exit")
        {'day-3': 'day-4', 'quiz': 'exit'}
    """
    found: dict[str, str] = {}
    for part in filter(None, (one.strip() for one in given.split(","))):
        node, sign, target = (word.strip() for word in part.partition("="))
        if not (node and sign and target) or node in found:
            raise InputError(
                f"map has {part!r}, must be NODE=NODE, NODE=stay or NODE=exit, each node once, "
                "parted by commas"
            )
        found[node] = target
    return found


def plan_moves(
    before: Journey,
    after: Journey,
    moves: Mapping[str, str],
    inside: Mapping[str, int],
    undecided: Mapping[str, int],
) -> Plan:
    """Decide what becomes of everybody inside.

    Nodes of the same name and kind are the same node. A wait that is longer in the new version
    is longer for those inside. Whoever stands at a node that has become another kind arrives at
    it anew.

    Args:
        before: The version they walk by.
        after: The version that takes its place.
        moves: stay, exit or a node of the new version, by node of the old one.
        inside: Customers by node of the old version.
        undecided: Those of them nothing was decided for, by node of the old version.

    Returns:
        The plan; it speaks of every node with anybody at it.

    Raises:
        InputError: Somebody stands at a node the new version has not, and the map is silent;
            or she would come to a message that follows a decision with nothing decided for her.
        UnknownName: The map names a node there is none of.
    """
    for node, target in moves.items():
        if node not in before.nodes:
            raise UnknownName("node of the version before", node, before.nodes)
        if target not in {STAY, EXIT} and target not in after.nodes:
            raise UnknownName("node of the new version", target, [*after.nodes, STAY, EXIT])
    lost = {
        name: customers
        for name, customers in sorted(inside.items())
        if customers and name not in after.nodes and name not in moves
    }
    if lost:
        told = ", ".join(f"{customers:,} at {name}" for name, customers in lost.items())
        first = next(iter(lost))
        raise InputError(
            f"customers stand at nodes the new version has not: {told}; say for each what becomes "
            f"of them: --map {first}=NODE, {first}=exit, or {first}=stay to let them finish by "
            "the version they are in"
        )
    targets = {name: moves.get(name, name) for name in before.nodes}
    _check_decided(after, targets, undecided)
    kept = [name for name, target in targets.items() if _is_same(before, after, name, target)]
    waits = [name for name in kept if isinstance(before.nodes[name].does, Wait | WaitForEvent)]
    return Plan(
        unchanged=tuple(name for name in kept if name not in waits),
        shifted={name: _length(after.nodes[name]) - _length(before.nodes[name]) for name in waits},
        moved={
            name: target
            for name, target in targets.items()
            if target in after.nodes and name not in kept
        },
        taken_out=tuple(name for name, target in targets.items() if target == EXIT),
        stay=tuple(name for name, target in targets.items() if target == STAY),
    )


def back(before: Journey, after: Journey, moves: Mapping[str, str]) -> dict[str, str]:
    """Turn a map round, for the way back to the version before.

    Args:
        before: The version to go back from.
        after: The version to go back to.
        moves: What was done when `before` took its place.

    Returns:
        Node by node; nodes that cannot be told apart are left out: somebody has to say.
    """
    came_from: dict[str, list[str]] = {}
    for source, target in moves.items():
        if target in before.nodes and source in after.nodes:
            came_from.setdefault(target, []).append(source)
    return {
        target: sources[0]
        for target, sources in came_from.items()
        if len(sources) == 1 and target not in after.nodes
    }


def _check_decided(
    after: Journey, targets: Mapping[str, str], undecided: Mapping[str, int]
) -> None:
    for name, customers in sorted(undecided.items()):
        target = targets[name]
        if not customers or target not in after.nodes:
            continue
        message = undecided_message(after, target)
        if message:
            raise InputError(
                f"{customers:,} at {name} would come from {target} to {message}, which follows a "
                f"decision, and nothing was decided for them; say what becomes of them: --map "
                f"{name}=NODE with a node before the decide node, {name}=exit, or {name}=stay to "
                "let them finish by the version they are in"
            )


def _is_same(before: Journey, after: Journey, name: str, target: str) -> bool:
    new = after.nodes.get(name)
    return target == name and new is not None and new.kind is before.nodes[name].kind


def _length(node: Node) -> int:
    return node.does.seconds * 1000 if isinstance(node.does, Wait | WaitForEvent) else 0
