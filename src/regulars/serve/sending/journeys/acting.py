"""What people do with journeys, the same from the command line, the API and the console."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from regulars.decide.offers.keeping.service import offers_in_force
from regulars.errors import NotReady, UnknownName
from regulars.govern.audit.service import anchor
from regulars.govern.consent.declared import read_declared
from regulars.reach.journeys.definition.nodes import ACTING, NodeKind
from regulars.reach.journeys.definition.reading import Ground
from regulars.reach.journeys.entering.occasions.service import known_dates
from regulars.reach.journeys.keeping import service as keeping
from regulars.reach.journeys.keeping.publishing.service import Published
from regulars.reach.journeys.keeping.publishing.service import publish as take_place
from regulars.reach.journeys.keeping.publishing.service import roll_back as take_back
from regulars.reach.journeys.keeping.service import JourneyRow, find_journey, put_journey
from regulars.serve.sending.journeys import reviewing
from regulars.serve.sending.journeys.means import actions_of, dates_of
from regulars.unify.tags.service import find_tag

if TYPE_CHECKING:
    from regulars.app import App


def ground_of(app: "App") -> Ground:
    """Give what a journey is read against in a workspace."""
    settings = app.settings
    hooks = [name for name, part in settings.channels.items() if part.via == "webhook"]
    return Ground(
        tuple(settings.channels),
        settings.loop.campaign_holdout,
        topics=tuple(read_declared(app.folder).topics),
        dates=known_dates(dates_of(app)),
        hooks=tuple(hooks),
    )


def put(app: "App", given: Mapping[str, Any], *, actor: str, now: datetime) -> JourneyRow:
    """Keep a journey as somebody wrote it; nobody walks by it yet.

    Returns:
        The journey as it stands now.
    """
    row = put_journey(app.state, given, ground=ground_of(app), actor=actor, now=now)
    anchor(app.state, folder=app.folder, at=now)
    return row


def submit(app: "App", journey_id: str, *, actor: str, now: datetime, note: str = "") -> int:
    """Ask for approval of the newest version as it stands now.

    Returns:
        The number of the request.
    """
    number = reviewing.submit(
        app, find_journey(app.state, journey_id), actor=actor, now=now, note=note
    )
    anchor(app.state, folder=app.folder, at=now)
    return number


def publish(
    app: "App",
    journey_id: str,
    *,
    moves: Mapping[str, str],
    actor: str,
    now: datetime,
) -> Published:
    """Let customers come in by the newest version of a journey.

    Args:
        app: The open workspace.
        journey_id: The journey.
        moves: What becomes of those who stand at a node: stay, exit, or a node of the version.
        actor: Who publishes.
        now: The moment, aware.

    Returns:
        What was done.

    Raises:
        NotAllowed: Nobody approved it as it stands, or it was stopped.
        NotReady: A node needs what this workspace has not.
        UnknownName: A node names a tag or an offer there is none of.
        InputError: Somebody stands at a node the version has not, and the map is silent.
    """
    row = find_journey(app.state, journey_id)
    version = row.newest
    _check_actions(app, version.journey.nodes.values(), now=now)
    reviewing.checked(app, row, version, now=now)
    done = take_place(
        app.state, journey_id, version=version.version, moves=moves, actor=actor, now=now
    )
    anchor(app.state, folder=app.folder, at=now)
    return done


def roll_back(
    app: "App",
    journey_id: str,
    *,
    moves: Mapping[str, str],
    actor: str,
    now: datetime,
    to: int | None = None,
) -> Published:
    """Put the version before in the place of the current one; it was approved when it went out.

    Returns:
        What was done.
    """
    done = take_back(app.state, journey_id, moves=moves, actor=actor, now=now, to=to)
    anchor(app.state, folder=app.folder, at=now)
    return done


def pause(app: "App", journey_id: str, *, reason: str, actor: str, now: datetime) -> JourneyRow:
    """Let nobody of a journey go on, and hold its contacts; gives the journey, paused."""
    row = keeping.pause(app.state, journey_id, reason=reason, actor=actor, now=now)
    anchor(app.state, folder=app.folder, at=now)
    return row


def resume(app: "App", journey_id: str, *, actor: str, now: datetime) -> JourneyRow:
    """Let a paused journey go on; gives the journey, running."""
    row = keeping.resume(app.state, journey_id, actor=actor, now=now)
    anchor(app.state, folder=app.folder, at=now)
    return row


def stop(app: "App", journey_id: str, *, reason: str, actor: str, now: datetime) -> JourneyRow:
    """End a journey for good; gives the journey, stopped."""
    row = keeping.stop_journey(app.state, journey_id, reason=reason, actor=actor, now=now)
    anchor(app.state, folder=app.folder, at=now)
    return row


def _check_actions(app: "App", nodes: Any, *, now: datetime) -> None:
    """Refuse nodes that nothing carries out, and tags and offers there are none of."""
    known = actions_of(app)
    for node in nodes:
        if node.kind in ACTING and node.kind not in known:
            raise NotReady(
                f"nodes.{node.name} is a {node.kind} node, which nothing here carries out; "
                f"known: {', '.join(sorted(known))}"
            )
        if node.kind is NodeKind.TAG:
            find_tag(app.state, node.does.settings["tag"])
        if node.kind is NodeKind.COUPON:
            offers = [kept.offer.offer_id for kept in offers_in_force(app.state, at=now)]
            if node.does.settings["offer"] not in offers:
                raise UnknownName("offer", node.does.settings["offer"], offers)
