"""Identity in the state: who is who is decided as events arrive, by people, and taken back."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from regulars.collect.ingest.batch import EventBatch
from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.govern.audit.service import record
from regulars.govern.consent.service import carry_over, spoken_for
from regulars.ports.state import Queries, State, Transaction
from regulars.records.identifiers import LOGIN, customer_id_of
from regulars.unify.identity.graph import Edge, Node, Standing
from regulars.unify.identity.identifiers import Identifier, identifiers_of, parted_by
from regulars.unify.identity.picture import MANUAL, Change, Evidence, Picture

READ = (
    "source",
    "message_id",
    "type",
    "event",
    "user_id",
    "anonymous_id",
    "payload",
)
_QUERIES = Queries(__package__)


@dataclass(frozen=True)
class Merge:
    """One line of the merge log.

    Attributes:
        number: What it is called when it is to be taken back.
        at: When, ISO 8601.
        actor: Who: a user's name, or "identity" when the events themselves said so.
        action: "merge" or "split".
        survivor: The customer it is about.
        other: The customer merged into it, or split from it.
        kind: Kind of the edge that did it.
        rule: Rule that did it.
        evidence: The event, run or person it rests on.
        reason: Why it was split; else "".
        undone_by: Number of the line that took it back; None while it stands.
    """

    number: int
    at: str
    actor: str
    action: str
    survivor: str
    other: str
    kind: str
    rule: str
    evidence: str
    reason: str
    undone_by: int | None


@dataclass(frozen=True)
class Explanation:
    """Why some identifiers are one customer.

    Attributes:
        customer_id: The customer.
        identifiers: Everything that tells who they are, the oldest first.
        edges: Every edge that has one of them at an end, refused and cut ones too.
        merges: The latest lines of the merge log about the customer, the newest first.
    """

    customer_id: str
    identifiers: list[Node]
    edges: list[Edge]
    merges: list[Merge]


class IdentityFollower:
    """Follows stored events: each joins the identifiers it names, if the rules allow it.

    Args:
        state: The workspace's state.
        junk: Nodes that stand for nobody in particular.
    """

    name = "identity"

    def __init__(self, state: State, *, junk: Collection[str] = ()) -> None:
        """Keep the parts; nothing is read yet."""
        self._state, self._junk = state, junk

    def position(self, partition: int, /) -> int:
        """Give the sequence of the last batch taken in; 0 before the first."""
        with self._state.reading() as reading:
            return _position(reading, partition)

    def follow(self, batch: EventBatch, /) -> None:
        """Take in one batch and move the position to it, in one transaction."""
        said = _said(batch)
        with self._state.transaction() as transaction:
            if batch.sequence <= _position(transaction, batch.partition):
                return
            named = {one.node for _, found, gone in said for one in (*found, *gone)}
            picture = _picture(transaction, named, self._junk)
            for evidence, found, gone in said:
                for one in gone:
                    picture.part(found[0].node if found else "", one.node, evidence)
                if not gone:
                    picture.take(found, evidence)
            _write(transaction, picture)
            transaction.run(
                _QUERIES["move_position"], partition=batch.partition, sequence=batch.sequence
            )


def adopt(
    state: State,
    said: Iterable[tuple[Sequence[Identifier], Evidence]],
    *,
    junk: Collection[str] = (),
) -> int:
    """Take in identifiers that do not come from events, such as those of a members' file.

    Args:
        state: The workspace's state.
        said: Identifiers of one customer each, strongest first, and where they stand.
        junk: Nodes that stand for nobody in particular.

    Returns:
        Identifiers that are new, or belong to somebody else now.
    """
    taken = [(list(found), evidence) for found, evidence in said]
    with state.transaction() as transaction:
        named = {one.node for found, _ in taken for one in found}
        picture = _picture(transaction, named, junk)
        for found, evidence in taken:
            picture.take(found, evidence)
        _write(transaction, picture)
        return len(picture.changed_nodes)


def link(state: State, pairs: Iterable[tuple[Identifier, Identifier, Evidence]]) -> dict[str, int]:
    """Join identifiers by evidence of another kind, such as a matching run.

    Args:
        state: The workspace's state.
        pairs: The two identifiers and what joins them; the same rules hold as for events.

    Returns:
        Pairs by outcome: "" for joined or one customer already, else the reason of refusal.
    """
    taken = list(pairs)
    outcomes: dict[str, int] = {}
    with state.transaction() as transaction:
        picture = _picture(transaction, {one.node for a, b, _ in taken for one in (a, b)})
        for a, b, evidence in taken:
            for one in (a, b):
                picture.meet(one, evidence)
            reason = picture.join(a.node, b.node, evidence)
            outcomes[reason] = outcomes.get(reason, 0) + 1
        _write(transaction, picture)
    return dict(sorted(outcomes.items()))


def merge(state: State, a: str, b: str, *, actor: str, now: datetime, reason: str = "") -> Merge:
    """Make two customers one, because somebody says so.

    Args:
        state: The workspace's state.
        a: A customer id.
        b: Another.
        actor: Who says so.
        now: The moment, aware.
        reason: Why, in their words; kept in the audit log.

    Returns:
        The line of the merge log; its number takes it back.

    Raises:
        UnknownName: Nobody has one of the ids.
        InputError: Both are the same customer already.
        NotAllowed: A rule forbids it: two login ids are never merged.
    """
    with state.transaction() as transaction:
        picture = _picture(transaction, {a, b})
        evidence = Evidence(_text(now), actor, actor, MANUAL, "by_hand")
        found = [_strongest(picture, one, evidence) for one in (a, b)]
        first, second = sorted(found, key=lambda one: (one.namespace != LOGIN, one.ordinal))
        if first.customer_id == second.customer_id:
            raise InputError(f"{a} and {b} are one customer already: {first.customer_id}")
        refused = picture.join(first.node, second.node, evidence)
        if refused:
            raise NotAllowed(
                "never-merge",
                f"{a} and {b} are not merged ({refused}); two customers who each have a login id "
                "of their own stay two",
            )
        [line] = _write(transaction, picture)
        _note(transaction, actor, "customer.merge", line, now, reason)
    return line


def unmerge(
    state: State, number: int, *, actor: str, now: datetime, reason: str = ""
) -> list[Merge]:
    """Take a merge back: every identifier returns to the side it belongs to.

    What was met since stays with the identifier it was met with. The evidence between the two
    sides is kept as cut: the same evidence does not merge them again.

    Args:
        state: The workspace's state.
        number: Number of the merge in the merge log.
        actor: Who takes it back.
        now: The moment, aware.
        reason: Why, in their words; kept in the audit log.

    Returns:
        The lines added to the merge log.

    Raises:
        UnknownName: There is no such merge.
        InputError: It was taken back already.
    """
    with state.transaction() as transaction:
        rows = transaction.all(_QUERIES["merge"], number=number)
        if not rows or rows[0]["action"] != "merge":
            raise UnknownName("merge", str(number), [])
        pair = json.dumps([rows[0]["a"], rows[0]["b"]])
        edges = [_edge(row) for row in transaction.all(_QUERIES["edges_among"], nodes=pair)]
        key = (rows[0]["a"], rows[0]["b"], rows[0]["kind"])
        held = [e for e in edges if e.key == key and e.standing is Standing.JOINS]
        if rows[0]["undone_by"] is not None or not held:
            raise InputError(f"merge {number} was taken back already; see: regulars unify explain")
        picture = _picture(transaction, {rows[0]["a"], rows[0]["b"]})
        picture.cut(held[0], Evidence(_text(now), actor, actor, MANUAL, "by_hand"), "unmerged")
        lines = _write(transaction, picture)
        transaction.run(_QUERIES["undone"], number=number, by=lines[0].number)
        _note(transaction, actor, "customer.unmerge", lines[0], now, reason)
    return lines


def resolve(state: State, namespace: str, value: str) -> str:
    """Tell which customer an identifier belongs to.

    Args:
        state: The workspace's state.
        namespace: "login", "phone", "cookie"...
        value: The identifier; a token when it is a phone number or an e-mail address.

    Returns:
        The customer id; for what was never met the id it would get.
    """
    return owner(state, namespace, value) or customer_id_of(namespace, value)


def owner(state: State, namespace: str, value: str) -> str | None:
    """Tell which customer an identifier belongs to, if it was ever met.

    Returns:
        The customer id, or None.
    """
    with state.reading() as reading:
        rows = reading.all(_QUERIES["owner"], node=customer_id_of(namespace, value))
    return str(rows[0]["customer_id"]) if rows else None


def present_ids(state: State, nodes: Iterable[str], *, only_met: bool = False) -> dict[str, str]:
    """Give the present customer ids of nodes, or of ids customers had before.

    Args:
        state: The workspace's state.
        nodes: What to look up.
        only_met: True to leave nodes out that were never met.

    Returns:
        Customer id by node; nodes never met stand for themselves.
    """
    asked = sorted(set(nodes))
    with state.reading() as reading:
        rows = reading.all(_QUERIES["owners"], nodes=json.dumps(asked))
    alone = {} if only_met else {node: node for node in asked}
    return alone | {row["node"]: row["customer_id"] for row in rows}


def aliases(state: State) -> dict[str, str]:
    """Give the present customer id of every id that is not one any more.

    Returns:
        Customer id by alias; empty when nobody was ever merged.
    """
    with state.reading() as reading:
        rows = reading.all(_QUERIES["aliases"])
    return {row["node"]: row["customer_id"] for row in rows}


def members(state: State, customer_id: str) -> list[Node]:
    """List the identifiers of a customer, the oldest first.

    Returns:
        Identifiers; empty when nobody has this id now.
    """
    with state.reading() as reading:
        return [_node(row) for row in reading.all(_QUERIES["members"], customer_id=customer_id)]


def members_of_many(state: State, customers: Iterable[str]) -> list[Node]:
    """List the identifiers of several customers, the oldest first.

    Args:
        state: The workspace's state.
        customers: Present customer ids; those never met have no identifiers.

    Returns:
        Identifiers, whose customer each names.
    """
    asked = json.dumps(sorted(set(customers)))
    with state.reading() as reading:
        return [_node(row) for row in reading.all(_QUERIES["members_of_many"], customers=asked)]


def count_merges(state: State) -> int:
    """Count the lines of the merge log: while it stays, every id stands for who it stood for."""
    with state.reading() as reading:
        [row] = reading.all(_QUERIES["merges"])
    return int(row["merges"])


def explain(state: State, customer_id: str) -> Explanation:
    """Tell why some identifiers are one customer.

    Args:
        state: The workspace's state.
        customer_id: The customer's id, or one they had before.

    Returns:
        Identifiers, edges and merges.

    Raises:
        UnknownName: No identifier of such a customer was ever met.
    """
    with state.reading() as reading:
        known = reading.all(_QUERIES["owner"], node=customer_id)
        present = known[0]["customer_id"] if known else customer_id
        nodes = [_node(row) for row in reading.all(_QUERIES["members"], customer_id=present)]
        if not nodes:
            raise UnknownName("customer", customer_id, [])
        edges = [_edge(row) for row in reading.all(_QUERIES["edges_of"], customer_id=present)]
        log = reading.all(_QUERIES["merges_of"], customer_id=present)
    return Explanation(present, nodes, edges, [_merge(row) for row in log])


def household(state: State, customer_id: str) -> list[str]:
    """List the customers who share a phone number, card, device or browser with a customer.

    What two customers share did not merge them; that they share it makes them one household.

    Returns:
        Present customer ids in order, the customer's own too; values claimed by so many that
        they tell nothing do not count.

    Source: ours, because a shared phone or device is the one sign of a household that needs
        no address.
    """
    found, fresh = {customer_id}, {customer_id}
    with state.reading() as reading:
        while fresh:
            asked = json.dumps(sorted(fresh))
            rows = reading.all(_QUERIES["neighbours"], customers=asked)
            fresh = {row["other"] for row in rows} - found
            found |= fresh
    return sorted(found)


def _said(
    batch: EventBatch,
) -> list[tuple[Evidence, Sequence[Identifier], Sequence[Identifier]]]:
    """Read who events are from, and what they take away; what says nothing new is left out.

    The same identifiers said again on a day change nothing, but for what was taken away between.

    Returns:
        The event, whom it names and whom it takes away, in the order of the batch.
    """
    found: list[tuple[Evidence, Sequence[Identifier], Sequence[Identifier]]] = []
    known: set[tuple[object, ...]] = set()
    columns = [batch.rows.column(name).to_pylist() for name in READ]
    for values, at in zip(zip(*columns, strict=True), _moments(batch.rows), strict=True):
        row = dict(zip(READ, values, strict=True))
        who, gone = identifiers_of(row), parted_by(row)
        asked = (at[:10], *who)
        if gone:
            known.clear()
        elif not who or asked in known:
            continue
        else:
            known.add(asked)
        found.append((Evidence(at, f"{row['source']}/{row['message_id']}"), who, gone))
    return found


def _moments(rows: pa.Table) -> list[str]:
    """Write the moments of receipt as `_text` does, all at once."""
    moments = rows.column("received_at").cast(pa.timestamp("us", "UTC"))
    plain = moments.cast(pa.timestamp("us")).cast(pa.string())
    written: list[str] = pc.binary_join_element_wise(
        pc.replace_substring(plain, " ", "T", max_replacements=1), "+00:00", ""
    ).to_pylist()
    return written


def _position(transaction: Transaction, partition: int) -> int:
    rows = transaction.all(_QUERIES["position"], partition=partition)
    return int(rows[0]["sequence"]) if rows else 0


def _picture(
    transaction: Transaction, nodes: Collection[str], junk: Collection[str] = ()
) -> Picture:
    asked = json.dumps(sorted(nodes))
    edges = [_edge(row) for row in transaction.all(_QUERIES["edges_to"], nodes=asked)]
    known = {row["node"]: _node(row) for row in transaction.all(_QUERIES["nodes"], nodes=asked)}
    claimants = json.dumps(sorted({edge.a for edge in edges} - known.keys()))
    others = [_node(row) for row in transaction.all(_QUERIES["nodes_alone"], nodes=claimants)]

    def edges_among(among: Collection[str]) -> list[Edge]:
        rows = transaction.all(_QUERIES["edges_among"], nodes=json.dumps(sorted(among)))
        return [_edge(row) for row in rows]

    [ordinal] = transaction.all(_QUERIES["next_ordinal"])
    return Picture(
        [*known.values(), *others],
        edges,
        next_ordinal=ordinal["number"],
        edges_among=edges_among,
        junk=junk,
    )


def _write(transaction: Transaction, picture: Picture) -> list[Merge]:
    transaction.many(
        _QUERIES["put_node"],
        [vars(one) | {"is_shared": int(one.is_shared)} for one in picture.written_nodes],
    )
    transaction.many(
        _QUERIES["put_edge"],
        [vars(edge) | {"standing": edge.standing.value} for edge in picture.written_edges],
    )
    [first] = transaction.all(_QUERIES["next_merge"])
    rows = [_line(first["number"] + at, change) for at, change in enumerate(picture.log)]
    transaction.many(_QUERIES["add_merge"], rows)
    merged = [row for row in rows if row["action"] == "merge"]
    # Most have said nothing yet; whoever has passes it on from merge to merge.
    spoken = spoken_for(transaction, [row["other"] for row in merged])
    for row in merged:
        if row["other"] in spoken:
            # Who said no under one id must not be contacted under the other.
            spoken.add(row["survivor"])
            carry_over(
                transaction,
                survivor=row["survivor"],
                other=row["other"],
                actor=row["actor"],
                now=datetime.fromisoformat(row["at"]),
            )
    return [_merge(row | {"undone_by": None}) for row in rows]


def _line(number: int, change: Change) -> dict[str, Any]:
    edge, why = change.edge, change.evidence
    return {
        "number": number,
        "at": why.at,
        "actor": why.actor,
        "action": change.action,
        "survivor": change.survivor,
        "other": change.other,
        "a": edge.a if edge else "",
        "b": edge.b if edge else "",
        "kind": edge.kind if edge else why.kind,
        "rule": why.rule,
        "evidence": why.source,
        "moved": json.dumps(change.moved),
        "reason": change.reason,
    }


def _strongest(picture: Picture, customer_id: str, evidence: Evidence) -> Node:
    """The identifier a customer is merged by; a login id nobody met yet is met now."""
    known = picture.nodes.get(customer_id)
    if known is None:
        if customer_id.startswith("c_"):
            raise UnknownName("customer", customer_id, [])
        picture.meet(Identifier(LOGIN, customer_id), evidence)
        known = picture.nodes[customer_id]
    return picture.nodes[known.customer_id]


def _note(
    transaction: Transaction, actor: str, action: str, line: Merge, now: datetime, reason: str
) -> None:
    detail = {"other": line.other, "merge": line.number, "reason": reason}
    record(transaction, actor=actor, action=action, subject=line.survivor, detail=detail, at=now)


def _node(row: Mapping[str, Any]) -> Node:
    return Node(**{**row, "is_shared": bool(row["is_shared"])})


def _edge(row: Mapping[str, Any]) -> Edge:
    return Edge(**{**row, "standing": Standing(row["standing"])})


def _merge(row: Mapping[str, Any]) -> Merge:
    return Merge(**{name: row[name] for name in Merge.__dataclass_fields__})


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
