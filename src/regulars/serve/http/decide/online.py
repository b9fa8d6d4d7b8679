"""`POST /api/decide`: one decision for one customer now, in one round trip; also many at once."""

import threading
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from regulars.decide.online.deciding import OnlineDecision
from regulars.errors import InputError, NotReady, RegularsError, UnknownName
from regulars.reach.standing import standing_now
from regulars.reach.standing.gate import Gate, gate_of
from regulars.serve.http.door.workspaces import Workspace
from regulars.serve.http.unify.profiles import KnownBy, normal_value

MOST_AT_ONCE = 1_000


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """Who is to be decided on: a customer id, or any identifier."""

    request_id: str
    customer_id: str = ""
    namespace: str = ""
    value: str = ""
    offers: list[str] | None = None


class AskedAtOnce(msgspec.Struct, forbid_unknown_fields=True):
    """Many at once; `offers` holds for all."""

    customers: list[Asked]
    offers: list[str] | None = None


class Seen(msgspec.Struct, forbid_unknown_fields=True):
    """A decision a customer saw."""

    decision_id: str


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
        UnknownName: There is no such namespace, or nobody is known by the identifier.
        NotReady: No turn has decided yet.
    """
    if not 0 < len(asked.request_id) <= 200:
        raise InputError("request_id must have 1 to 200 characters; it names the decision")
    standing = standing_now(
        workspace.state,
        _RULES.of(workspace, now),
        _customer(workspace, asked),
        channels=tuple(workspace.settings.channels),
        now=now,
    )
    return workspace.decider.decide(
        standing.customer_id,
        request_id=asked.request_id,
        refusals=standing.refusals,
        now=now,
        is_plain=standing.is_profiling_refused,
        offers=None if asked.offers is None else frozenset(asked.offers),
    )


def _customer(workspace: Workspace, asked: Asked) -> str:
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


async def decide_one(request: Request) -> Response:
    """Decide for one customer."""
    caller = request.state.caller
    asked = _read(await request.body(), Asked)
    if isinstance(asked, Response):
        return asked
    found = await run_in_threadpool(_answer, caller.workspace, [asked], now=caller.now)
    return found if isinstance(found, Response) else _json(found[0])


async def decide_many(request: Request) -> Response:
    """Decide for up to a thousand customers."""
    caller = request.state.caller
    asked = _read(await request.body(), AskedAtOnce)
    if isinstance(asked, Response):
        return asked
    if len(asked.customers) > MOST_AT_ONCE:
        return _refused(400, f"{len(asked.customers)} customers, at most {MOST_AT_ONCE} at once")
    each = [
        msgspec.structs.replace(one, offers=asked.offers) if one.offers is None else one
        for one in asked.customers
    ]
    found = await run_in_threadpool(_answer, caller.workspace, each, now=caller.now)
    return found if isinstance(found, Response) else _json({"decisions": found})


async def exposed(request: Request) -> Response:
    """Note that a customer saw what was decided; it counts once, and only if it is logged."""
    caller = request.state.caller
    seen = _read(await request.body(), Seen)
    if isinstance(seen, Response):
        return seen
    try:
        decider = await run_in_threadpool(lambda: caller.workspace.decider)
    except NotReady as error:
        return _refused(503, str(error))
    return _json({"counts": decider.exposed(seen.decision_id, now=caller.now)})


def _answer(
    workspace: Workspace, asked: list[Asked], *, now: datetime
) -> list[OnlineDecision] | Response:
    try:
        return [decide_now(workspace, one, now=now) for one in asked]
    except RegularsError as error:
        wrong = isinstance(error, InputError | UnknownName)
        return _refused(400 if wrong else 503, str(error))


def _read(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        return _refused(400, str(error))


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"error": {"status": status, "message": message}}, status)


ROUTES = [
    Route("/api/decide", decide_one, methods=["POST"]),
    Route("/api/decide/batch", decide_many, methods=["POST"]),
    Route("/api/decide/exposed", exposed, methods=["POST"]),
]
