"""Where a workspace keeps customers, for requests about one's own data; one at a time."""

import secrets
from typing import TYPE_CHECKING

from regulars.decide.online.covering import DecisionKeeper
from regulars.errors import NotReady
from regulars.govern.audit.service import anchor
from regulars.journal import alone, open_turn
from regulars.reach.rights.answering.service import erase_person
from regulars.reach.rights.requests.records import Asking, Keeper, Places, Request
from regulars.serve.ingest.storing import settle
from regulars.unify.profiles.online.forgetting.service import ProfileKeeper

if TYPE_CHECKING:
    from regulars.app import App


def places_of(shop: "App") -> Places:
    """Name everything of a workspace that keeps customers.

    Args:
        shop: The open workspace.

    Returns:
        State, lake, vault, and whatever channels and logs keep.
    """
    channels = dict.fromkeys(one for one in shop.channels.values() if isinstance(one, Keeper))
    keepers: list[Keeper] = [ProfileKeeper(shop.profiles), DecisionKeeper(shop.folder), *channels]
    return Places(
        state=shop.state,
        lake=shop.lake,
        protector=shop.protector,
        keepers=keepers,
        zone=shop.settings.retailer.zone,
        settle=lambda: settle(shop),
        scrub=shop.scrub,
        # Kept nowhere once all is done: nobody can work the pseudonyms out again.
        new_secret=lambda: secrets.token_hex(32),
    )


def carry_out(shop: "App", number: int, *, asking: Asking) -> Request:
    """Erase whom a request is about, while no turn runs.

    Args:
        shop: The open workspace.
        number: The request.
        asking: Who carries it out, and when.

    Returns:
        The request, done.

    Raises:
        NotReady: A turn was interrupted and must be finished first: it could not go on with
            what it had read.
        Transient: Another run is at work in the workspace.
    """
    with alone(shop.folder):
        waiting = open_turn(shop.state)
        if waiting:
            raise NotReady(
                f"turn {waiting.number} of {waiting.as_of} was interrupted; "
                f"run: regulars run --as-of {waiting.as_of}, then erase"
            )
        done = erase_person(places_of(shop), number, asking=asking)
    anchor(shop.state, folder=shop.folder, at=asking.now)
    return done
