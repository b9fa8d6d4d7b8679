"""Why did this customer get, or not get, each thing: codes, and sentences in both languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from regulars.reach.campaigns.running.service import not_yet_enrolled
from regulars.reach.campaigns.splitting import CONTACT
from regulars.reach.delivery.reports import Attempt
from regulars.reach.delivery.service import why
from regulars.serve.sending.explaining.book import words_of
from regulars.serve.sending.explaining.calling import Called, call
from regulars.unify.identity.service import members, present_ids

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.ports.state import State

LOCALES = ("zh-CN", "en")
_PHASED, _WHOLE = "campaign/", "all"


@dataclass(frozen=True)
class Explained:
    """One attempt, or one reason why there was none, told to people.

    Attributes:
        called: What it is called, and where it is shown.
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
        zh: The same in Chinese, as one sentence.
        en: The same in English.
        because_zh: Only why, in Chinese.
        because_en: Only why, in English.
    """

    called: Called
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
    because_zh: str
    because_en: str


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
    waiting = [row for one in was for row in not_yet_enrolled(state, one)]
    names = call(
        state, [row["campaign_id"] for row in waiting] + [_source(one) for one in attempts]
    )
    found = [_waiting(names, row["campaign_id"], row["name"], row["assignment"]) for row in waiting]
    found += [_told(one, zone, names[_source(one)]) for one in attempts]
    if not found:
        zh, en = words_of("sentence", "nothing")
        return Explanation(present, (), zh, en)
    return Explanation(present, tuple(found), found[0].zh, found[0].en)


def explain_in(app: "App", customer_id: str, *, limit: int = 100) -> Explanation:
    """Tell the same, in an open workspace."""
    return explain(app.state, customer_id, zone=app.settings.retailer.zone, limit=limit)


def _told(one: Attempt, zone: str, called: Called) -> Explained:
    moment = one.settled_at or one.at or one.planned_at
    day = moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") if moment else "?"
    until = one.hold_until.astimezone(ZoneInfo(zone)) if one.hold_until else None
    phase = _phase_of(one)
    says = []
    for place in range(len(LOCALES)):
        told = words_of("sentence", "attempt" if one.channel else "unplaced")[place].format(
            day=day,
            subject=_subject(called, place),
            phase=_in_phase(phase, place),
            channel=words_of("channels", one.channel)[place],
            fate=words_of("fates", one.fate)[place],
            reason=words_of("reasons", one.reason)[place],
        )
        if until and one.fate == "deferred":
            gap = " " if place else ""
            told += gap + words_of("sentence", "until")[place].format(
                until=until.strftime("%Y-%m-%d %H:%M")
            )
        says.append(told)
    return Explained(
        called,
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
        *words_of("reasons", one.reason),
    )


def _waiting(names: Mapping[str, Called], campaign: str, phase: str, assignment: str) -> Explained:
    called = names[campaign]
    zh, en = (
        text.format(subject=_subject(called, place), phase=words_of("phases", phase)[place])
        for place, text in enumerate(words_of("sentence", "waiting"))
    )
    en = en[:1].upper() + en[1:]
    reason = "waiting" if assignment == CONTACT else assignment
    because = words_of("fates" if reason == "waiting" else "reasons", reason)
    return Explained(
        called, campaign, "", "", phase, "", "", "waiting", reason, "", "", "", zh, en, *because
    )


def _source(one: Attempt) -> str:
    return one.campaign_id or one.run_id


def _subject(called: Called, place: int) -> str:
    name = (called.zh, called.en)[place]
    return words_of("subject", called.kind)[place].format(name=name)


def _in_phase(phase: str, place: int) -> str:
    """Name a phase inside a sentence; nothing where a campaign reaches everybody at once."""
    if phase in {"", _WHOLE}:
        return ""
    return words_of("sentence", "phase")[place].format(name=words_of("phases", phase)[place])


def _phase_of(one: Attempt) -> str:
    if not one.run_id.startswith(_PHASED):
        return ""
    return one.run_id.rpartition("/")[2]
