"""The online profile of one customer, by any identifier, for other systems."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from regulars.errors import UnknownName
from regulars.govern.protection.service import Protector
from regulars.ports.state import State
from regulars.serve.http.door.workspaces import Workspace
from regulars.unify.identity.namespaces import declared_namespaces
from regulars.unify.identity.service import members, resolve
from regulars.unify.profiles.online.lookup.service import OnlineProfile, OnlineProfiles
from regulars.unify.tags.live.service import tags_online
from regulars.unify.tags.service import list_tags, marks_of

router = APIRouter()
CLEAR = ("phone", "email")


class KnownBy:
    """Who is who, as the identity graph says.

    Args:
        state: The workspace's state.
    """

    def __init__(self, state: State) -> None:
        """Remember the state; nothing is read yet."""
        self._state = state

    def customer(self, namespace: str, value: str, /) -> str | None:
        """Give the customer an identifier belongs to."""
        return resolve(self._state, namespace, value)

    def nodes(self, customer_id: str, /) -> list[str]:
        """Give every id that stands for a customer, their own first."""
        found = [customer_id, *(one.node for one in members(self._state, customer_id))]
        return list(dict.fromkeys(found))


@dataclass(frozen=True)
class ProfileAnswer:
    """What is known of one customer now.

    Attributes:
        customer_id: Who.
        as_of: Last day counted.
        updated_at: When something was last received of them; None when only files tell of them.
        tags: `static` has the static tags known, the name covered; `defined` the names of the
            tags that marketers defined and the customer has.
        indicators: Behavioural indicators; null where they say nothing.
        leanings: Shares of choices; null where there were too few.
    """

    customer_id: str
    as_of: date
    updated_at: datetime | None
    tags: dict[str, Any]
    indicators: dict[str, Any]
    leanings: dict[str, Any]


def normal_value(protector: Protector, namespace: str, value: str) -> str:
    """Give the value an identifier is known under: a token for a phone number or an address.

    Args:
        protector: The workspace's protector.
        namespace: A declared namespace.
        value: As it was sent, clear or a token.

    Returns:
        The value to look for.

    Raises:
        UnknownName: There is no such namespace.
    """
    known = declared_namespaces().by_name
    if namespace not in known:
        raise UnknownName("namespace", namespace, known)
    if namespace in CLEAR:
        return protector.token(namespace, value.strip())
    return value.strip()


def find_profile(
    workspace: Workspace, namespace: str, value: str, *, now: datetime
) -> OnlineProfile | None:
    """Find the profile behind an identifier.

    Args:
        workspace: Whose customers.
        namespace: A declared namespace.
        value: The identifier, clear or a token.
        now: The moment, aware.

    Returns:
        None when nobody is known by it.
    """
    settings = workspace.settings
    today = now.astimezone(ZoneInfo(settings.retailer.zone)).date()
    profiles = OnlineProfiles(workspace.profiles, margin_rate=settings.loop.margin_rate)
    sought = normal_value(workspace.protector, namespace, value)
    return profiles.find(namespace, sought, identities=KnownBy(workspace.state), as_of=today)


def answer_for(
    workspace: Workspace, namespace: str, value: str, *, now: datetime
) -> ProfileAnswer | None:
    """Give the profile behind an identifier as other systems get it.

    Args:
        workspace: Whose customers.
        namespace: A declared namespace.
        value: The identifier, clear or a token.
        now: The moment, aware.

    Returns:
        None when nobody is known by it.
    """
    found = find_profile(workspace, namespace, value, now=now)
    if found is None:
        return None
    marks = marks_of(workspace.state, found.nodes, zone=workspace.settings.retailer.zone)
    defined = tags_online(list_tags(workspace.state), found, marks=marks)
    return ProfileAnswer(
        found.customer_id,
        found.as_of,
        found.updated_at,
        {"static": found.static, "defined": defined},
        found.indicators,
        found.leanings,
    )


@router.get("/api/unify/profile", tags=["unify"], response_model=ProfileAnswer)
def read_profile(request: Request, namespace: str, value: str) -> Response | ProfileAnswer:
    """The profile behind an identifier: a login id, phone number, e-mail address, cookie..."""
    caller = request.state.caller
    try:
        found = answer_for(caller.workspace, namespace, value, now=caller.now)
    except UnknownName as error:
        return _refused(400, str(error))
    if found is None:
        says = f"nobody is known by this {namespace}; check the value, or send an event of theirs"
        return _refused(404, says)
    return found


def _refused(status: int, message: str) -> Response:
    # The message never repeats the value: it may be a phone number.
    return JSONResponse({"error": {"status": status, "message": message}}, status)
