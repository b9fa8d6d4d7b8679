"""What is known of a customer at this moment: who they are, how they shop, which tags they have."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ibis import _

from regulars.errors import UnknownName
from regulars.govern.masking import phone_digits
from regulars.ports.engine import Reader
from regulars.records.identifiers import COOKIE, EMAIL, LOGIN, PHONE
from regulars.serve.http.door.workspaces import Workspace
from regulars.serve.http.unify.customers import customer_profile
from regulars.serve.http.unify.identity import IdentityGraph, identity_graph
from regulars.serve.http.unify.profiles import ProfileAnswer, answer_for
from regulars.unify.identity.namespaces import declared_namespaces
from regulars.unify.identity.service import owner
from regulars.unify.tags.live.service import TagChange, history
from regulars.unify.tags.service import list_tags, marks_of
from regulars.unify.tags.tables import GIVEN, REMOVED


@dataclass(frozen=True)
class Present:
    """One customer at this moment.

    Attributes:
        identity: Identifiers, edges and merges; None for a customer only files tell of.
        profile: The online profile; None where nothing was received.
        tags: Tags the customer has, by name.
        may_have: Tags there are that the customer has not.
        changes: When the customer entered and left tags, the newest first.
    """

    identity: IdentityGraph | None
    profile: ProfileAnswer | None
    tags: list[str]
    may_have: list[str]
    changes: list[TagChange]


def known_identity(workspace: Workspace, customer_id: str) -> IdentityGraph | None:
    """Tell why some identifiers are one customer; None where none was ever met."""
    try:
        return identity_graph(workspace, customer_id)
    except UnknownName:
        return None


def present(
    workspace: Workspace, customer_id: str, identity: IdentityGraph | None, *, now: datetime
) -> Present:
    """Tell what is known of a customer at this moment.

    Args:
        workspace: Whose customers.
        customer_id: The customer's present id.
        identity: What `known_identity` gave.
        now: The moment, aware.

    Returns:
        Empty lists where nothing is known.
    """
    profile = answer_for(workspace, LOGIN, customer_id, now=now)
    names = [tag.name for tag in list_tags(workspace.state)]
    nodes = (
        [customer_id, *(one.node for one in identity.identifiers)] if identity else [customer_id]
    )
    with workspace.reading() as engine:
        changes = history(engine, customer_id) if names else []
        has = (
            profile.tags["defined"] if profile else _settled(workspace, engine, customer_id, nodes)
        )
    return Present(
        identity,
        profile,
        [name for name in names if name in has],
        [name for name in names if name not in has],
        changes,
    )


def find_customer(workspace: Workspace, text: str) -> str | None:
    """Find the one customer behind an id, a phone number, an address or an id of a device.

    Args:
        workspace: Whose customers.
        text: The identifier, given whole.

    Returns:
        The customer's present id; None when nobody is known by it.
    """
    state, text = workspace.state, text.strip()
    kept = {EMAIL: text if "@" in text else "", PHONE: text if len(phone_digits(text)) >= 8 else ""}
    values = {n: workspace.protector.token(n, value) for n, value in kept.items() if value}
    values[LOGIN] = text
    values |= {name: text for name in declared_namespaces().by_name if name not in {PHONE, EMAIL}}
    for namespace in (LOGIN, PHONE, EMAIL, COOKIE, *sorted(values)):
        if namespace in values and (found := owner(state, namespace, values[namespace])):
            return found
    with workspace.reading() as engine:
        try:
            return customer_profile(engine, text, is_masked=True).customer_id
        except UnknownName:
            return None


def _settled(
    workspace: Workspace, engine: Reader, customer_id: str, nodes: Sequence[str]
) -> set[str]:
    """Tags as the newest turn settled them, and what was said by hand since."""
    members = engine.table("tag_members")
    [newest] = engine.rows(members.agg(turn=_.turn.max()))
    mine = members.filter(_.turn == (newest["turn"] or 0), _.customer_id == customer_id)
    has = {row["tag"] for row in engine.rows(mine.filter(_.is_member).select("tag"))}
    marks = marks_of(workspace.state, nodes, zone=workspace.settings.retailer.zone)
    given = {name for name, (mark, _day) in marks.items() if mark == GIVEN}
    removed = {name for name, (mark, _day) in marks.items() if mark == REMOVED}
    return (has | given) - removed
