"""`POST /api/decide`: one decision for one customer now, in one round trip; also many at once."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars.decide.assignment.dealing.giving import Given, offers_closed
from regulars.decide.online.deciding import OnlineDecision
from regulars.errors import InputError, RegularsError, UnknownName
from regulars.reach.standing import StandingNow, standing_now
from regulars.reach.standing.gate import Gate, gate_of
from regulars.serve.http.door.workspaces import Workspace
from regulars.serve.http.unify.profiles import KnownBy, normal_value
from regulars.unify.identity.service import present_ids

MOST_AT_ONCE = 1_000
MOST_TOLD = 10
"""Wrong rows of a batch that are told one by one."""


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """Who is to be decided on: a customer id, or any identifier."""

    request_id: str
    customer_id: str = ""
    namespace: str = ""
    value: str = ""
    offers: list[str] | None = None
    channels: list[str] | None = None


class AskedAtOnce(msgspec.Struct, forbid_unknown_fields=True):
    """Many at once; `offers` and `channels` hold for those who name none."""

    customers: list[Asked]
    offers: list[str] | None = None
    channels: list[str] | None = None


class WhoAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Whose variants are asked for: a customer id, or any identifier."""

    customer_id: str = ""
    namespace: str = ""
    value: str = ""


class Seen(msgspec.Struct, forbid_unknown_fields=True):
    """A decision a customer saw."""

    decision_id: str


class Answered(NamedTuple):
    """An answer.

    Attributes:
        status: HTTP status.
        content: JSON.
    """

    status: int
    content: bytes


class Answering(Protocol):
    """Answers one kind of request."""

    def __call__(self, workspace: Workspace, body: bytes, *, now: datetime) -> Answered:
        """Answer a request whose caller may ask."""


class Rules:
    """The rules of contact of one workspace, made anew each day."""

    def __init__(self) -> None:
        """Make none yet."""
        self._lock = threading.Lock()
        self._made: dict[str, tuple[date, Gate]] = {}

    def of(self, workspace: Workspace, now: datetime) -> Gate:
        """Give the gate of today."""
        today = now.astimezone(ZoneInfo(workspace.settings.retailer.zone)).date()
        name = str(workspace.folder)
        with self._lock:
            found = self._made.get(name)
            if found is None or found[0] != today:
                found = self._made[name] = (today, gate_of(workspace.settings, now=now))
        return found[1]


_RULES = Rules()


def decide_now(workspace: Workspace, asked: Asked, *, now: datetime) -> OnlineDecision:
    """Decide for one customer: who it is, what stands in the way, what is best; and log it.

    Args:
        workspace: Whose customer.
        asked: Who asks for what.
        now: The moment, aware.

    Returns:
        The decision.

    Raises:
        InputError: Nobody is named, or no request.
        UnknownName: There is no such namespace or channel.
        NotReady: No turn has decided yet.
    """
    return _decided(workspace, asked, *_checked(workspace, asked), now=now)


def decide_for_page(
    workspace: Workspace, asked: Asked, *, is_vouched: bool, now: datetime
) -> OnlineDecision:
    """Decide for a place on a page, whose visitor anybody can claim to be.

    Args:
        workspace: Whose customer.
        asked: Who asks for what, by customer id.
        is_vouched: True when the shop's server signed who it is; else nothing is read of the
            customer, and what is answered is what everybody of average traits would get.
        now: The moment, aware.

    Returns:
        The decision. Its variants are those that make a difference among the offers asked for;
        they are logged where a channel asked for is open to the visitor.

    Raises:
        InputError: Nobody is named, or no request.
        UnknownName: There is no such channel.
        NotReady: No turn has decided yet.
    """
    checked = _checked(workspace, asked)
    return _decided(workspace, asked, *checked, now=now, is_plain=not is_vouched, is_for_page=True)


def _checked(workspace: Workspace, asked: Asked) -> tuple[str, tuple[str, ...]]:
    """Give who is asked about and by which channels; nothing is decided yet."""
    if not 0 < len(asked.request_id) <= 200:
        raise InputError("request_id must have 1 to 200 characters; it names the decision")
    known = tuple(workspace.settings.channels)
    wanted = known if asked.channels is None else tuple(asked.channels)
    for channel in wanted:
        if channel not in known:
            raise UnknownName("channel", channel, known)
    return _customer(workspace, asked), wanted


def _decided(
    workspace: Workspace,
    asked: Asked,
    customer_id: str,
    wanted: tuple[str, ...],
    *,
    now: datetime,
    is_plain: bool = False,
    is_for_page: bool = False,
) -> OnlineDecision:
    standing = standing_now(
        workspace.state, _RULES.of(workspace, now), customer_id, channels=wanted, now=now
    )
    known = workspace.settings.channels
    left = {channel: "not_asked" for channel in known if channel not in wanted}
    given, shut = (_given_on_page if is_for_page else _given)(
        workspace, standing, asked, wanted, now=now
    )
    closed = {f"offer/{offer}": "experiment" for offer in shut}
    found = workspace.decider.decide(
        standing.customer_id,
        request_id=asked.request_id,
        refusals=standing.refusals | left | closed,
        now=now,
        is_plain=is_plain or standing.is_profiling_refused,
        offers=None if asked.offers is None else frozenset(asked.offers),
        stocked=standing.stocked,
    )
    return msgspec.structs.replace(found, variants=_told_of(given)) if given else found


def _given(
    workspace: Workspace,
    standing: StandingNow,
    _asked: Asked,
    _wanted: Sequence[str],
    *,
    now: datetime,
) -> tuple[list[Given], list[str]]:
    """Give a caller all variants, which are told and logged, and the offers they leave out."""
    given = workspace.exposing.given(standing.customer_id, now=now)
    return given, offers_closed(given, workspace.decider.offers(now=now))


def _given_on_page(
    workspace: Workspace,
    standing: StandingNow,
    asked: Asked,
    wanted: Sequence[str],
    *,
    now: datetime,
) -> tuple[list[Given], list[str]]:
    """Give the variants that make a difference to what the place may show, and what they close."""
    known = workspace.decider.offers(now=now)
    offers = [one for one in known if asked.offers is None or one in asked.offers]
    who = standing.customer_id
    dealt = workspace.exposing.dealt(who, offers, now=now)
    if all(standing.refusals.get(channel, "no_channel") for channel in wanted):
        return [], dealt.closed(who, offers)
    given = dealt.exposed(who, offers)
    workspace.exposing.expose(who, given, now=now)
    return given, dealt.closed(who, offers)


def _told_of(given: Sequence[Given]) -> dict[str, dict[str, str]]:
    return {one.experiment_id: one.told for one in given}


def _customer(workspace: Workspace, asked: Asked | WhoAsked) -> str:
    if asked.customer_id and not asked.namespace:
        return asked.customer_id
    if not asked.namespace or not asked.value or asked.customer_id:
        raise InputError("say who: customer_id, or namespace and value")
    sought = normal_value(workspace.protector, asked.namespace, asked.value)
    found = KnownBy(workspace.state).customer(asked.namespace, sought)
    if found is None:
        # The value is not repeated: it may be a phone number.
        raise InputError(f"nobody is known by this {asked.namespace}; check the value")
    return found


def one_answered(workspace: Workspace, body: bytes, *, now: datetime) -> Answered:
    """Answer `POST /api/decide`.

    Args:
        workspace: Whose customer.
        body: The request's.
        now: The moment, aware.

    Returns:
        Status and JSON.
    """
    asked = _read(body, Asked)
    if isinstance(asked, Answered):
        return asked
    return _told(lambda: decide_now(workspace, asked, now=now))


def many_answered(workspace: Workspace, body: bytes, *, now: datetime) -> Answered:
    """Answer `POST /api/decide/batch`: up to a thousand customers, each decided on and logged.

    All are looked at before the first is decided on: one that cannot be refuses them all.

    Args:
        workspace: Whose customers.
        body: The request's.
        now: The moment, aware.

    Returns:
        Status and JSON.
    """
    asked = _read(body, AskedAtOnce)
    if isinstance(asked, Answered):
        return asked
    if len(asked.customers) > MOST_AT_ONCE:
        return refused(400, f"{len(asked.customers)} customers, at most {MOST_AT_ONCE} at once")
    each = [
        msgspec.structs.replace(
            one,
            offers=asked.offers if one.offers is None else one.offers,
            channels=asked.channels if one.channels is None else one.channels,
        )
        for one in asked.customers
    ]
    checked, wrong = [], []
    for number, one in enumerate(each):
        try:
            checked.append((one, *_checked(workspace, one)))
        except (InputError, UnknownName) as error:
            wrong.append(f"customers[{number}]: {error}")
    if wrong:
        more = f"; and {len(wrong) - MOST_TOLD} more" if len(wrong) > MOST_TOLD else ""
        return refused(400, "; ".join(wrong[:MOST_TOLD]) + more + "; nothing was decided")
    return _told(lambda: {"decisions": [_decided(workspace, *one, now=now) for one in checked]})


def exposure_answered(workspace: Workspace, body: bytes, *, now: datetime) -> Answered:
    """Answer `POST /api/decide/exposed`: it counts once, and only if the decision is on disk.

    Args:
        workspace: Whose customer.
        body: The request's.
        now: The moment, aware.

    Returns:
        Status and JSON.
    """
    seen = _read(body, Seen)
    if isinstance(seen, Answered):
        return seen
    return _told(lambda: {"counts": workspace.decider.exposed(seen.decision_id, now=now)})


def variants_answered(workspace: Workspace, body: bytes, *, now: datetime) -> Answered:
    """Answer `POST /api/decide/variants`: the variants a customer has in what runs, each logged.

    Args:
        workspace: Whose customer.
        body: The request's.
        now: The moment, aware.

    Returns:
        Status and JSON.
    """
    asked = _read(body, WhoAsked)
    if isinstance(asked, Answered):
        return asked

    def found() -> dict[str, Any]:
        who = _customer(workspace, asked)
        who = present_ids(workspace.state, [who]).get(who, who)
        given = workspace.exposing.given(who, now=now)
        return {"customer_id": who, "variants": _told_of(given)}

    return _told(found)


def refused(status: int, message: str) -> Answered:
    """Say no as every route of the API does."""
    told = {"error": {"status": status, "message": message}}
    return Answered(status, msgspec.json.encode(told))


def _told(found: Callable[[], Any]) -> Answered:
    try:
        return Answered(200, msgspec.json.encode(found()))
    except RegularsError as error:
        wrong = isinstance(error, InputError | UnknownName)
        return refused(400 if wrong else 503, str(error))


def _read(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        return refused(400, str(error))


def _route(path: str, answered: Answering) -> Route:
    async def answer(request: Request) -> Response:
        caller, body = request.state.caller, await request.body()
        status, content = await run_in_threadpool(answered, caller.workspace, body, now=caller.now)
        return Response(content, status, media_type="application/json")

    return Route(path, answer, methods=["POST"])


ANSWERS: Mapping[str, Answering] = {
    "/api/decide": one_answered,
    "/api/decide/batch": many_answered,
    "/api/decide/exposed": exposure_answered,
    "/api/decide/variants": variants_answered,
}
ROUTES = [_route(path, answered) for path, answered in ANSWERS.items()]
