"""Identity: what makes a customer one customer, merged and taken apart by hand."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.govern.audit.service import anchor
from regulars.govern.protection.service import Protector
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.door.numbers import MOST_NUMBER
from regulars.serve.http.door.workspaces import Workspace
from regulars.unify.identity.graph import Edge, Node
from regulars.unify.identity.known.service import require_known
from regulars.unify.identity.service import Merge, explain, household, merge, unmerge

router = APIRouter()


@dataclass(frozen=True)
class ShownIdentifier:
    """One identifier of a customer, its value masked.

    Attributes:
        node: What edges call it.
        namespace: What kind it is.
        shown: Its value, masked.
        first_seen: Day it was met, ISO 8601.
        last_seen: Last day it was met.
        evidence: The event it was met in first.
        is_shared: True when too many customers claim it for it to tell anything.
    """

    node: str
    namespace: str
    shown: str
    first_seen: str
    last_seen: str
    evidence: str
    is_shared: bool


@dataclass(frozen=True)
class IdentityGraph:
    """Why some identifiers are one customer.

    Attributes:
        customer_id: The customer.
        identifiers: What tells who they are, the oldest first, values masked.
        edges: Every edge with one of them at an end: rule, weight, evidence, what it does.
        merges: The latest lines of the merge log about the customer, the newest first.
        household: Customers who share a phone number, card, device or browser with them.
    """

    customer_id: str
    identifiers: list[ShownIdentifier]
    edges: list[Edge]
    merges: list[Merge]
    household: list[str]


class MergeRequest(BaseModel):
    """The other customer, and why the two are one."""

    model_config = ConfigDict(extra="forbid")

    other: str = Field(min_length=1, max_length=200)
    reason: str = Field(default="", max_length=500)


class UnmergeRequest(BaseModel):
    """Why a merge is taken back."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="", max_length=500)


def shown_identifiers(nodes: Iterable[Node], protector: Protector) -> list[ShownIdentifier]:
    """Mask identifiers, so that everybody may see them.

    Args:
        nodes: Identifiers.
        protector: Knows the masked form of tokens.

    Returns:
        One per node, in the same order; login ids are customer ids and shown as they are.
    """
    nodes = list(nodes)
    masked = protector.masked(one.value for one in nodes)
    return [
        ShownIdentifier(
            one.node,
            one.namespace,
            one.shown(masked),
            one.first_seen,
            one.last_seen,
            one.evidence,
            one.is_shared,
        )
        for one in nodes
    ]


def identity_graph(workspace: Workspace, customer_id: str) -> IdentityGraph:
    """Tell why some identifiers are one customer, values masked.

    Args:
        workspace: Whose customers.
        customer_id: The customer's id, or one they had before.

    Returns:
        Identifiers, edges, merges and household.

    Raises:
        UnknownName: No identifier of such a customer was ever met.
    """
    found = explain(workspace.state, customer_id)
    return IdentityGraph(
        found.customer_id,
        shown_identifiers(found.identifiers, workspace.protector),
        found.edges,
        found.merges,
        household(workspace.state, found.customer_id),
    )


def merge_by_hand(caller: Caller, customer_id: str, other: str, reason: str) -> Merge:
    """Make two customers one; recorded in the merge log and the audit log.

    Returns:
        The line of the merge log.

    Raises:
        UnknownName: Nobody has one of the ids.
    """
    state = caller.workspace.state
    with caller.workspace.reading() as engine:
        require_known(state, engine, (customer_id, other))
    line = merge(state, customer_id, other, actor=caller.actor, now=caller.now, reason=reason)
    anchor(state, folder=caller.workspace.folder, at=caller.now)
    return line


def unmerge_by_hand(caller: Caller, number: int, reason: str) -> list[Merge]:
    """Take a merge back; recorded in the merge log and the audit log.

    Returns:
        The lines added to the merge log.
    """
    state = caller.workspace.state
    lines = unmerge(state, number, actor=caller.actor, now=caller.now, reason=reason)
    anchor(state, folder=caller.workspace.folder, at=caller.now)
    return lines


@router.get("/api/unify/customers/{customer_id}/identity", tags=["unify"])
def read_identity(request: Request, customer_id: str) -> IdentityGraph:
    """What makes a customer one customer: identifiers, edges, merges; values masked."""
    return identity_graph(request.state.caller.workspace, customer_id)


@router.post("/api/unify/customers/{customer_id}/merge", tags=["unify"])
def merge_customer(request: Request, customer_id: str, asked: MergeRequest) -> Merge:
    """Make two customers one; recorded in the merge log and the audit log."""
    return merge_by_hand(request.state.caller, customer_id, asked.other, asked.reason)


@router.post("/api/unify/merges/{number}/unmerge", tags=["unify"])
def unmerge_customers(
    request: Request, number: Annotated[int, Path(ge=1, le=MOST_NUMBER)], asked: UnmergeRequest
) -> list[Merge]:
    """Take a merge back; recorded in the merge log and the audit log."""
    return unmerge_by_hand(request.state.caller, number, asked.reason)
