"""What a template rests on and how far this workspace has it, with what to do about the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ibis import _

from regulars.errors import UnknownName
from regulars.ports.engine import Reader
from regulars.ports.state import State
from regulars.reach.journeys.entering.occasions.points.service import points_held
from regulars.reach.journeys.templates.catalogue import Need, Takes, Template
from regulars.reach.surveys.service import find_survey

DAYS = 30
"""Days back an event must have been seen in to count as there."""


@dataclass(frozen=True)
class Checked:
    """One thing a template rests on, looked for in a workspace.

    Attributes:
        kind: event, field, profiles, points, survey, channel or offer.
        name: What was looked for.
        is_met: True when it is there.
        is_optional: True when the journey works without it.
        found: Events of the last 30 days, customers with the field, profile or expiring points,
            channels, offers.
        of: Customers in all where `found` counts customers; None otherwise.
        words: What it is for, by language.
        advice: What to do when it is missing, by language; "" when it is there.
    """

    kind: str
    name: str
    is_met: bool
    is_optional: bool
    found: int
    of: int | None
    words: Mapping[str, str]
    advice: Mapping[str, str]


_ADVICE = {
    "event": {
        "zh": "请客户端或服务端发送事件“{name}”，见 docs/how-to/send-events.md",
        "en": "send the event {name!r}: docs/how-to/send-events.md",
    },
    "field": {
        "zh": "导入会员资料时带上字段 {name}，见 docs/how-to/import-your-files.md",
        "en": "import the members' file with {name}: docs/how-to/import-your-files.md",
    },
    "profiles": {
        "zh": "先跑一轮循环：regulars run",
        "en": "turn the loop once: regulars run",
    },
    "points": {
        "zh": "先在积分规则里设置有效期并发放积分，见 docs/how-to/run-a-points-programme.md",
        "en": "give points that expire: docs/how-to/run-a-points-programme.md",
    },
    "survey": {
        "zh": "启用模板时会自动建立",
        "en": "it is made when the template is used",
    },
    "channel": {
        "zh": "在 regulars.toml 里配置一个渠道，见 docs/how-to/connect-a-channel.md",
        "en": "name a channel in regulars.toml: docs/how-to/connect-a-channel.md",
    },
    "offer": {
        "zh": "导入 offers.csv，至少一个优惠",
        "en": "import offers.csv with one offer at least",
    },
}
_CHANNEL = {"zh": "消息经由的渠道", "en": "the way its messages take"}
_OFFER = {"zh": "消息携带的优惠", "en": "the offer its messages carry"}


def check_needs(
    engine: Reader,
    state: State,
    template: Template,
    *,
    channels: int,
    now: datetime,
) -> list[Checked]:
    """Look for everything a template rests on.

    Args:
        engine: Opens events, customers, profiles, offers.
        state: The transactional store, for surveys.
        template: The template.
        channels: How many channels the workspace names.
        now: The moment, aware.

    Returns:
        One record per thing, in the order the template names them, then channel and offer.
    """
    seen = events_seen(engine, now=now)
    found = [_checked(engine, state, need, seen) for need in template.needs]
    found.append(_said("channel", "", _CHANNEL, channels))
    if template.takes is not Takes.NONE:
        [offers] = engine.rows(engine.table("offers").agg(found=_.offer_id.nunique()))
        is_optional = template.takes is Takes.OPTIONAL
        found.append(_said("offer", "", _OFFER, offers["found"], is_optional=is_optional))
    return found


def events_seen(engine: Reader, *, now: datetime) -> dict[str, int]:
    """Count the events of the last 30 days by name.

    Args:
        engine: Opens the events.
        now: The moment, aware.

    Returns:
        Events by name, the most frequent first.
    """
    events = engine.table("events")
    recent = events.filter(_.occurred_at > now - timedelta(days=DAYS))
    counted = recent.filter(_.event.notnull()).group_by("event").agg(events=_.count())
    rows = engine.rows(counted.order_by(_.events.desc(), "event"))
    return {row["event"]: row["events"] for row in rows}


def _checked(engine: Reader, state: State, need: Need, seen: Mapping[str, int]) -> Checked:
    found, of = 0, None
    if need.kind == "event":
        found = seen.get(need.name, 0)
    elif need.kind == "points":
        found = points_held(state)
    elif need.kind == "survey":
        found = _has_survey(state, need.name)
    else:
        table = engine.table("customers" if need.kind == "field" else "profiles")
        if need.kind == "profiles":
            table = table.filter(_.turn == table.turn.max())
        [row] = engine.rows(table.agg(found=_[need.name].count(), of=_.count()))
        found, of = row["found"], row["of"]
    return _said(need.kind, need.name, need.words, found, of=of, is_optional=need.is_optional)


def _said(
    kind: str,
    name: str,
    words: Mapping[str, str],
    found: int,
    *,
    of: int | None = None,
    is_optional: bool = False,
) -> Checked:
    # A survey is made with the template, so nothing is missing without one.
    is_met = found > 0 or kind == "survey"
    advice = {} if is_met else {k: v.format(name=name) for k, v in _ADVICE[kind].items()}
    return Checked(kind, name, is_met, is_optional, found, of, words, advice)


def _has_survey(state: State, name: str) -> int:
    try:
        find_survey(state, name)
    except UnknownName:
        return 0
    return 1
