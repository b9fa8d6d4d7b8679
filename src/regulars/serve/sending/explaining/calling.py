"""What people call the campaigns, journeys and turns contacts come from, and their pages."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from regulars.ports.state import Queries
from regulars.serve.sending.explaining.book import words_of

if TYPE_CHECKING:
    from regulars.ports.state import State

_SQL = Queries(__package__)
_OFFER_OF_TURN = re.compile(r"(.+)-(\d{3,})")
_TURN, _JOURNEY = "turn/", "journey/"
_OF_CAMPAIGN = ("campaign/", "trigger/")


@dataclass(frozen=True)
class Called:
    """What something that contacts customers is called.

    Attributes:
        kind: campaign, journey, turn (all of one) or offer (one, in one turn).
        name: Its name without a turn; "" for a turn.
        turn: The turn; 0 where it is no turn's.
        zh: Its name for readers of Chinese.
        en: Its name for readers of English.
        page: Address of the console's page about it.
    """

    kind: str
    name: str
    turn: int
    zh: str
    en: str
    page: str


def call(
    state: "State", ids: Iterable[str], *, offer_names: Mapping[str, str] | None = None
) -> dict[str, Called]:
    """Give what people call runs and campaigns.

    Args:
        state: The transactional store.
        ids: Ids of runs ("turn/000012", "campaign/spring/pilot", "journey/welcome") or of
            campaigns ("spring", "off10-012" for an offer of a turn).
        offer_names: Name by offer id; what the catalogue says where none is given.

    Returns:
        By id. Something that was never kept here is called by its id.
    """
    asked = {one: _read(one) for one in ids}
    names = {name for _, name, _ in asked.values()}
    offers = {found[1] for name in names if (found := _OFFER_OF_TURN.fullmatch(name))}
    campaigns = _names(state, "campaign_names", names)
    journeys = _names(state, "journey_names", names)
    known = _names(state, "offer_names", offers) if offer_names is None else offer_names
    return {
        one: _called(kind, name, turn, (campaigns, journeys, known))
        for one, (kind, name, turn) in asked.items()
    }


def _read(text: str) -> tuple[str, str, int]:
    """Take an id apart: kind where it says so, name, turn."""
    if text.startswith(_TURN) and text.removeprefix(_TURN).isdecimal():
        return "turn", "", int(text.removeprefix(_TURN))
    if text.startswith(_JOURNEY):
        return "journey", text.split("/")[1], 0
    if text.startswith(_OF_CAMPAIGN):
        return "campaign", text.split("/")[1], 0
    return "", text, 0


def _called(kind: str, name: str, turn: int, names: tuple[Mapping[str, str], ...]) -> Called:
    campaigns, journeys, offers = names
    if kind == "turn":
        zh, en = (text.format(turn=turn) for text in words_of("called", "turn"))
        return Called("turn", "", turn, zh, en, f"/campaigns?turn={turn}")
    if kind == "journey":
        known = journeys.get(name, name)
        return Called("journey", known, 0, known, known, f"/journeys/{quote(name, safe='')}")
    of_turn = _OFFER_OF_TURN.fullmatch(name)
    if not kind and name not in campaigns and of_turn:
        offer, turn = offers.get(of_turn[1], of_turn[1]), int(of_turn[2])
        zh, en = (text.format(offer=offer, turn=turn) for text in words_of("called", "offer"))
        return Called("offer", offer, turn, zh, en, f"/campaigns/{quote(name, safe='')}")
    known = campaigns.get(name, name)
    return Called("campaign", known, 0, known, known, f"/campaigns/written/{quote(name, safe='')}")


def _names(state: "State", statement: str, ids: Iterable[str]) -> dict[str, str]:
    wanted = sorted(one for one in ids if one)
    if not wanted:
        return {}
    with state.reading() as opened:
        rows = opened.all(_SQL[statement], ids=json.dumps(wanted))
    return {row["id"]: json.loads(row["definition"]).get("name") or row["id"] for row in rows}
