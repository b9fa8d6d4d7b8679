"""Why did this customer get, or not get, each thing: codes, and sentences in both languages."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from regulars.reach.campaigns.running.service import not_yet_enrolled
from regulars.reach.campaigns.splitting import CONTACT
from regulars.reach.delivery.reports import Attempt
from regulars.reach.delivery.service import why
from regulars.unify.identity.service import members, present_ids

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.ports.state import State

LOCALES = ("zh-CN", "en")
_PHASED = "campaign/"


@dataclass(frozen=True)
class Explained:
    """One attempt, or one reason why there was none, told to people.

    Attributes:
        campaign: The campaign.
        run: The run it belongs to.
        step: Step of the run.
        phase: Phase of the campaign; "" when it has none.
        channel: Channel; "" when none was chosen.
        key: Key of the contact; "" while there is none.
        fate: Fate code; planned, claimed or waiting while it has none.
        reason: Reason code.
        at: Moment it was settled, or planned; ISO 8601; "" while there is none.
        hold_until: When it is looked at again; "" when it is not.
        provider_id: The provider's name of it; "" for none.
        zh: The same in Chinese.
        en: The same in English.
    """

    campaign: str
    run: str
    step: str
    phase: str
    channel: str
    key: str
    fate: str
    reason: str
    at: str
    hold_until: str
    provider_id: str
    zh: str
    en: str


@dataclass(frozen=True)
class Explanation:
    """Everything that was decided about contacting one customer.

    Attributes:
        customer_id: The customer, by the present id.
        attempts: The newest first; what waits for a later phase before them.
        zh: One sentence that sums it up, in Chinese.
        en: The same in English.
    """

    customer_id: str
    attempts: tuple[Explained, ...]
    zh: str
    en: str


def explain(state: "State", customer_id: str, *, zone: str, limit: int = 100) -> Explanation:
    """Tell why a customer was contacted or not, by everything that ever considered them.

    Args:
        state: The transactional store.
        customer_id: Any id of the customer.
        zone: IANA zone days are told in.
        limit: Most attempts told, the newest first.

    Returns:
        The explanation; no attempts for a customer nothing has considered.
    """
    present = present_ids(state, [customer_id])[customer_id]
    # Rows of the ledger keep the id they were written under: of everybody she has been, one by one.
    was = dict.fromkeys([present, customer_id, *(node.node for node in members(state, present))])
    attempts = why(state, *was, limit=limit)
    found = [
        _waiting(row["campaign_id"], row["name"], row["assignment"])
        for one in was
        for row in not_yet_enrolled(state, one)
    ]
    found += [_told(one, zone) for one in attempts]
    if not found:
        zh, en = _words("sentence", "nothing")
        return Explanation(present, (), zh, en)
    return Explanation(present, tuple(found), found[0].zh, found[0].en)


def explain_in(app: "App", customer_id: str, *, limit: int = 100) -> Explanation:
    """Tell the same, in an open workspace."""
    return explain(app.state, customer_id, zone=app.settings.retailer.zone, limit=limit)


def _told(one: Attempt, zone: str) -> Explained:
    moment = one.settled_at or one.at or one.planned_at
    day = moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") if moment else "?"
    until = one.hold_until.astimezone(ZoneInfo(zone)) if one.hold_until else None
    phase = _phase_of(one)
    says = []
    for place in range(len(LOCALES)):
        name = "attempt" if one.channel else "unplaced"
        told = _words("sentence", name)[place].format(
            day=day,
            campaign=one.campaign_id or one.run_id,
            phase=_words("sentence", "phase")[place].format(name=phase) if phase else "",
            channel=one.channel,
            fate=_words("fates", one.fate)[place],
            reason=_words("reasons", one.reason)[place],
        )
        if until and one.fate == "deferred":
            gap = " " if place else ""
            told += gap + _words("sentence", "until")[place].format(
                until=until.strftime("%Y-%m-%d %H:%M")
            )
        says.append(told)
    return Explained(
        one.campaign_id,
        one.run_id,
        one.step,
        phase,
        one.channel,
        one.key,
        one.fate,
        one.reason,
        moment.isoformat() if moment else "",
        one.hold_until.isoformat() if one.hold_until else "",
        one.provider_id,
        *says,
    )


def _waiting(campaign: str, phase: str, assignment: str) -> Explained:
    zh, en = (text.format(campaign=campaign, phase=phase) for text in _words("sentence", "waiting"))
    reason = "waiting" if assignment == CONTACT else assignment
    return Explained(campaign, "", "", phase, "", "", "waiting", reason, "", "", "", zh, en)


def _phase_of(one: Attempt) -> str:
    if not one.run_id.startswith(_PHASED):
        return ""
    return one.run_id.rpartition("/")[2]


def _words(part: str, code: str) -> Sequence[str]:
    """Words of a code in both languages; a code nobody named stands for itself."""
    found: Sequence[str] = _book()[part].get(code, (code, code))
    return found


@cache
def _book() -> dict[str, dict[str, list[str]]]:
    text = files(__package__).joinpath("sentences.toml").read_text(encoding="utf-8")
    book: dict[str, dict[str, list[str]]] = tomllib.loads(text)
    return book
