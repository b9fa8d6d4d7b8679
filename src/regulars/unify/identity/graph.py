"""The rules of the identity graph: who may be joined, how they are called, what falls apart."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from regulars.govern.masking import mask_id
from regulars.records.identifiers import LOGIN
from regulars.unify.identity.namespaces import Namespace, declared_namespaces


class Standing(StrEnum):
    """What an edge does now.

    `joins` edges hold a customer together and form a tree; `agrees` is evidence between
    identifiers that are one customer anyway; `refused` is kept as evidence and joins nobody;
    `cut` was taken back, and the same two identifiers never join by that evidence again.
    """

    JOINS = "joins"
    AGREES = "agrees"
    REFUSED = "refused"
    CUT = "cut"


@dataclass(frozen=True)
class Node:
    """One identifier and whom it belongs to.

    Attributes:
        node: The customer id that stands for it alone.
        namespace: What kind it is.
        value: The identifier; a token when it is a phone number or an e-mail address.
        customer_id: Whom it belongs to.
        ordinal: Its place in the order identifiers were met; the lower, the older.
        first_seen: Day it was met, ISO 8601.
        last_seen: Last day it was met.
        evidence: The event it was met in first.
        is_shared: True when too many customers claimed it for it to tell anything.
    """

    node: str
    namespace: str
    value: str
    customer_id: str
    ordinal: int
    first_seen: str
    last_seen: str
    evidence: str
    is_shared: bool = False

    def shown(self, masked_by_token: Mapping[str, str]) -> str:
        """Give the value as everybody may see it.

        Args:
            masked_by_token: Masked form of tokens.

        Returns:
            A login id, which is a customer id, as it is; anything else masked.
        """
        if self.namespace == LOGIN:
            return self.value
        return masked_by_token.get(self.value) or mask_id(self.value)


@dataclass(frozen=True)
class Edge:
    """One reason to take two identifiers for one customer's.

    Attributes:
        a: Node of the stronger identifier.
        b: Node of the other.
        kind: "deterministic", "probabilistic" or "manual".
        rule: What joined them: "same_event", "matching"...
        weight: How sure it is, 0 to 1.
        evidence: The event, run or person it rests on.
        valid_from: The moment it was found, ISO 8601.
        valid_to: The moment it was taken back; "" while it stands.
        standing: What it does now.
        reason: Why it was refused or cut; else "".
    """

    a: str
    b: str
    kind: str
    rule: str
    weight: float
    evidence: str
    valid_from: str
    valid_to: str = ""
    standing: Standing = Standing.AGREES
    reason: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What names the edge."""
        return self.a, self.b, self.kind

    @property
    def is_valid(self) -> bool:
        """True when its two identifiers may be one customer by it."""
        return self.standing in {Standing.JOINS, Standing.AGREES}


def name_of(nodes: Iterable[Node]) -> str:
    """Name the customer some identifiers are.

    The name depends on the identifiers alone, so that what is taken apart again has the names
    it had before.

    Args:
        nodes: All identifiers of the customer, one at least.

    Returns:
        The login id; without one the node that was met first.
    """
    oldest = min(nodes, key=lambda one: (one.namespace != LOGIN, one.ordinal, one.node))
    return oldest.node


def refusal(
    through: Collection[Node],
    mine: Collection[Node],
    theirs: Collection[Node],
    *,
    is_by_chance: bool = True,
) -> str:
    """Tell why two customers must not be joined.

    Args:
        through: The two identifiers that met.
        mine: All identifiers of the one customer.
        theirs: All identifiers of the other.
        is_by_chance: False when a person or a matching run joins them, not that two
            identifiers came in one event: then it does not matter how weak they are.

    Returns:
        A reason code, or "" when they may be joined: `shared` (one of the two tells nothing),
        `two_login` and the like (each has one of what a customer has one of), `unlike_phone`
        and the like (what met is a thing people share, and they differ in something
        stronger), `too_many_card` and the like.
    """
    if any(one.is_shared for one in through):
        return "shared"
    names = declared_namespaces().by_name
    ours, others = _counts(mine), _counts(theirs)
    is_weak = is_by_chance and any(names[one.namespace].is_weak for one in through)
    for name, namespace in names.items():
        if ours[name] and others[name]:
            if namespace.is_unique:
                return f"two_{name}"
            if is_weak and not namespace.is_weak:
                return f"unlike_{name}"
        if ours[name] + others[name] > namespace.most_per_customer:
            return f"too_many_{name}"
    return ""


def is_too_common(namespace: Namespace, claims: int) -> bool:
    """Tell whether so many customers claim a value that it tells nothing more.

    Returns:
        False for namespaces without a limit.
    """
    return namespace.most_customers is not None and claims > namespace.most_customers


def sides(nodes: Collection[str], edges: Collection[Edge], cut: Edge) -> tuple[set[str], set[str]]:
    """Part a customer at one joining edge.

    Args:
        nodes: All identifiers of the customer.
        edges: All edges among them.
        cut: The joining edge to take away.

    Returns:
        The side of `cut.a` and the side of `cut.b`.
    """
    kept = [e for e in edges if e.standing is Standing.JOINS and e.key != cut.key]
    [side] = [part for part in components(nodes, kept) if cut.b in part]
    return set(nodes) - side, side


def components(nodes: Collection[str], edges: Iterable[Edge]) -> list[set[str]]:
    """Find what hangs together.

    Args:
        nodes: All nodes.
        edges: Edges between them; others are ignored.

    Returns:
        Sets of nodes, the one with the smallest node first.

    Example:
        >>> edge = Edge("a", "b", "manual", "", 1.0, "", "")
        >>> [sorted(part) for part in components(["c", "b", "a"], [edge])]
        [['a', 'b'], ['c']]
    """
    joined = _Joined(nodes)
    for edge in edges:
        if edge.a in joined.root and edge.b in joined.root:
            joined.join(edge.a, edge.b)
    parts: dict[str, set[str]] = {}
    for node in sorted(nodes):
        parts.setdefault(joined.find(node), set()).add(node)
    return list(parts.values())


def rejoined(nodes: Collection[str], edges: Iterable[Edge]) -> list[Edge]:
    """Choose anew which edges hold customers together.

    Edges that joined before are preferred, then older ones.

    Args:
        nodes: All nodes concerned.
        edges: All edges among them.

    Returns:
        The valid edges whose standing changes, as they are then.
    """
    valid = [e for e in edges if e.is_valid and e.a in nodes and e.b in nodes]
    valid.sort(key=lambda e: (e.standing is not Standing.JOINS, e.valid_from, e.key))
    joined, changed = _Joined(nodes), []
    for edge in valid:
        standing = Standing.JOINS if joined.join(edge.a, edge.b) else Standing.AGREES
        if standing is not edge.standing:
            changed.append(replace(edge, standing=standing))
    return changed


def _counts(nodes: Collection[Node]) -> Counter[str]:
    return Counter(one.namespace for one in nodes if not one.is_shared)


class _Joined:
    """Which nodes hang together so far (union-find)."""

    def __init__(self, nodes: Collection[str]) -> None:
        self.root: dict[str, str] = {node: node for node in nodes}

    def find(self, node: str) -> str:
        while self.root[node] != node:
            self.root[node] = self.root[self.root[node]]
            node = self.root[node]
        return node

    def join(self, a: str, b: str) -> bool:
        """Join two nodes; false when they hung together already."""
        one, other = sorted((self.find(a), self.find(b)))
        self.root[other] = one
        return one != other


def by_customer(nodes: Iterable[Node]) -> Mapping[str, dict[str, Node]]:
    """Group identifiers by the customer they belong to.

    Returns:
        Identifiers by node, by customer.
    """
    found: dict[str, dict[str, Node]] = {}
    for one in nodes:
        found.setdefault(one.customer_id, {})[one.node] = one
    return found
