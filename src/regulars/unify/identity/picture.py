"""A picture of part of the identity graph: events are taken in, what changed is written at once."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from regulars.unify.identity.graph import (
    Edge,
    Node,
    Standing,
    by_customer,
    components,
    is_too_common,
    name_of,
    refusal,
    rejoined,
    sides,
)
from regulars.unify.identity.identifiers import Identifier
from regulars.unify.identity.namespaces import declared_namespaces

DETERMINISTIC, PROBABILISTIC, MANUAL = "deterministic", "probabilistic", "manual"

EdgesAmong = Callable[[Collection[str]], Iterable[Edge]]
"""Reads the stored edges among some nodes; what the picture knows better wins."""


@dataclass(frozen=True)
class Evidence:
    """What two identifiers are joined by.

    Attributes:
        at: The moment, ISO 8601.
        source: The event, run or person.
        actor: Who acts: "identity" for the events themselves.
        kind: "deterministic", "probabilistic" or "manual".
        rule: The rule that joins them.
        weight: How sure it is, 0 to 1.
    """

    at: str
    source: str
    actor: str = "identity"
    kind: str = DETERMINISTIC
    rule: str = "same_event"
    weight: float = 1.0


@dataclass(frozen=True)
class Change:
    """One merge or split, for the merge log.

    Attributes:
        action: "merge" or "split".
        survivor: The customer it is about.
        other: The customer merged into it, or split from it.
        edge: The edge that did it; None when an identifier proved to be shared.
        moved: Nodes that changed hands.
        evidence: Why.
        reason: Why it was split; else "".
    """

    action: str
    survivor: str
    other: str
    edge: Edge | None
    moved: tuple[str, ...]
    evidence: Evidence
    reason: str = ""


class Picture:
    """The identifiers some events name, all others of the same customers, and their edges.

    Args:
        nodes: Identifiers known.
        edges: Edges known among those the events name.
        next_ordinal: Place of the next new identifier.
        edges_among: Reads more edges when a customer is taken apart.
        junk: Nodes that stand for nobody in particular.
    """

    def __init__(
        self,
        nodes: Iterable[Node],
        edges: Iterable[Edge],
        *,
        next_ordinal: int,
        edges_among: EdgesAmong,
        junk: Collection[str] = (),
    ) -> None:
        """Keep the picture; nothing has changed yet."""
        self.nodes: dict[str, Node] = {one.node: one for one in nodes}
        self.next_ordinal = next_ordinal
        self.changed_nodes: dict[str, None] = {}
        self.changed_edges: dict[tuple[str, str, str], None] = {}
        self.log: list[Change] = []
        self._customers = {c: set(m) for c, m in by_customer(self.nodes.values()).items()}
        self._edges = {edge.key: edge for edge in edges}
        self._claimants: dict[str, set[str]] = {}
        for edge in self._edges.values():
            self._claimants.setdefault(edge.b, set()).add(edge.a)
        self._edges_among, self._junk = edges_among, junk

    @property
    def written_nodes(self) -> list[Node]:
        """Identifiers that are new or changed."""
        return [self.nodes[node] for node in self.changed_nodes]

    @property
    def written_edges(self) -> list[Edge]:
        """Edges that are new or changed."""
        return [self._edges[key] for key in self.changed_edges]

    def members(self, customer_id: str) -> list[Node]:
        """Give the identifiers of a customer in the picture."""
        return [self.nodes[node] for node in self._customers.get(customer_id, ())]

    def take(self, identifiers: Sequence[Identifier], evidence: Evidence) -> None:
        """Take in what one event says.

        Args:
            identifiers: Who it is from, strongest first.
            evidence: The event.
        """
        met = [one for one in identifiers if one.node not in self._junk]
        for one in met:
            self.meet(one, evidence)
        for other in met[1:]:
            self.join(met[0].node, other.node, evidence)

    def join(self, a: str, b: str, evidence: Evidence) -> str:
        """Join the customers of two identifiers, if the rules allow it.

        Args:
            a: Node of the stronger identifier, in the picture.
            b: Node of the other.
            evidence: What joins them.

        Returns:
            Why they were not joined, or "".
        """
        edge = self._edges.get((a, b, evidence.kind))
        mine, theirs = self.nodes[a].customer_id, self.nodes[b].customer_id
        if evidence.kind != MANUAL and self._was_cut(edge, mine, theirs, evidence.kind):
            return "parted"
        if mine == theirs:
            if edge is None or not edge.is_valid:
                self._put(_edge(a, b, evidence))
            return ""
        reason = refusal(
            (self.nodes[a], self.nodes[b]),
            self.members(mine),
            self.members(theirs),
            is_by_chance=evidence.kind == DETERMINISTIC,
        )
        if reason:
            self._refuse(edge, _edge(a, b, evidence, Standing.REFUSED, reason))
            return reason
        joining = _edge(a, b, evidence, Standing.JOINS)
        self._put(joining)
        self._merge(mine, theirs, joining, evidence)
        return ""

    def _was_cut(self, edge: Edge | None, mine: str, theirs: str, kind: str) -> bool:
        """An event is held up by its own edge; a guess by any edge cut between the two."""
        if edge is not None and edge.standing is Standing.CUT:
            return True
        if kind == DETERMINISTIC or mine == theirs:
            return False
        ours = self._customers[mine]
        between = self._all_edges(ours | self._customers[theirs])
        return any(e.standing is Standing.CUT and (e.a in ours) != (e.b in ours) for e in between)

    def cut(self, edge: Edge, evidence: Evidence, reason: str) -> tuple[str, str]:
        """Take a joining edge back: its customer falls into the two it was made of.

        Args:
            edge: An edge that joins.
            evidence: Who takes it back, and when.
            reason: Kept with every edge between the two sides.

        Returns:
            The two customers.
        """
        nodes = self._customers[self.nodes[edge.a].customer_id]
        edges = self._all_edges(nodes)
        left, right = sides(nodes, edges, edge)
        for other in edges:
            if other.is_valid and (other.a in left) != (other.b in left):
                self._put(
                    replace(other, standing=Standing.CUT, valid_to=evidence.at, reason=reason)
                )
        return self._part([left, right], edge, evidence, reason)

    def part(self, stronger: str, other: str, evidence: Evidence) -> None:
        """Take back that two identifiers are one customer's, as an unbinding event says."""
        if stronger in self.nodes and other in self.nodes:
            nodes = self._customers[self.nodes[other].customer_id]
            for edge in self._all_edges(nodes):
                if edge.standing is Standing.JOINS and {edge.a, edge.b} == {stronger, other}:
                    self.cut(edge, evidence, "unbound")

    def meet(self, one: Identifier, evidence: Evidence) -> None:
        """Know an identifier; one met first now is a customer of its own."""
        day, known = evidence.at[:10], self.nodes.get(one.node)
        if known is None:
            self.nodes[one.node] = Node(
                one.node,
                one.namespace,
                one.value,
                one.node,
                self.next_ordinal,
                day,
                day,
                evidence.source,
            )
            self._customers[one.node] = {one.node}
            self.next_ordinal += 1
            self.changed_nodes[one.node] = None
        elif known.last_seen < day:
            self._change(known, last_seen=day)

    def _merge(self, mine: str, theirs: str, edge: Edge, evidence: Evidence) -> None:
        both = self._customers[mine] | self._customers[theirs]
        survivor = name_of(self.nodes[node] for node in both)
        gone = theirs if survivor == mine else mine
        moved = tuple(sorted(self._customers.pop(gone)))
        self._own(both, survivor)
        self.log.append(Change("merge", survivor, gone, edge, moved, evidence))

    def _refuse(self, known: Edge | None, edge: Edge) -> None:
        other = self.nodes[edge.b]
        if edge.reason == "shared" or (known is not None and known.reason == edge.reason):
            return
        self._put(edge)
        claims = {self.nodes[a].customer_id for a in self._known_claimants(edge.b)}
        namespace = declared_namespaces().by_name[other.namespace]
        if is_too_common(namespace, len(claims | {other.customer_id})):
            self._share(other, edge)

    def _known_claimants(self, node: str) -> list[str]:
        return [a for a in self._claimants.get(node, ()) if a in self.nodes]

    def _share(self, shared: Node, last: Edge) -> None:
        """A value too many customers claim tells nothing: whoever it held together parts."""
        nodes = set(self._customers[shared.customer_id])
        edges = self._all_edges(nodes)
        evidence = Evidence(last.valid_from, last.evidence)
        for edge in edges:
            if edge.is_valid and shared.node in {edge.a, edge.b}:
                self._put(
                    replace(edge, standing=Standing.CUT, valid_to=evidence.at, reason="shared")
                )
        self._change(shared, is_shared=True)
        edges = [self._edges[edge.key] for edge in edges]
        for edge in rejoined(nodes, edges):
            self._put(edge)
        held = [edge for edge in edges if edge.is_valid]
        self._part(components(nodes, held), None, evidence, "shared")

    def _part(
        self, parts: Sequence[set[str]], edge: Edge | None, evidence: Evidence, reason: str
    ) -> tuple[str, str]:
        whole = self.nodes[next(iter(parts[0]))].customer_id
        del self._customers[whole]
        names = []
        for nodes in parts:
            names.append(name_of(self.nodes[node] for node in nodes))
            self._own(nodes, names[-1])
        for name, nodes in zip(names, parts, strict=True):
            if name != whole:
                moved = tuple(sorted(nodes))
                self.log.append(Change("split", whole, name, edge, moved, evidence, reason))
        return names[0], names[-1]

    def _own(self, nodes: set[str], customer_id: str) -> None:
        self._customers[customer_id] = set(nodes)
        for node in sorted(nodes):
            if self.nodes[node].customer_id != customer_id:
                self._change(self.nodes[node], customer_id=customer_id)

    def _all_edges(self, nodes: Collection[str]) -> list[Edge]:
        for edge in self._edges_among(sorted(nodes)):
            self._edges.setdefault(edge.key, edge)
        found = (e for e in self._edges.values() if e.a in nodes and e.b in nodes)
        return sorted(found, key=lambda edge: edge.key)

    def _put(self, edge: Edge) -> None:
        self._edges[edge.key] = edge
        self._claimants.setdefault(edge.b, set()).add(edge.a)
        self.changed_edges[edge.key] = None

    def _change(self, known: Node, **parts: object) -> None:
        self.nodes[known.node] = replace(known, **parts)  # type: ignore[arg-type]
        self.changed_nodes[known.node] = None


def _edge(
    a: str,
    b: str,
    evidence: Evidence,
    standing: Standing = Standing.AGREES,
    reason: str = "",
) -> Edge:
    return Edge(
        a,
        b,
        evidence.kind,
        evidence.rule,
        evidence.weight,
        evidence.source,
        evidence.at,
        standing=standing,
        reason=reason,
    )
