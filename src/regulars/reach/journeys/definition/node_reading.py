"""The nodes of a journey, each kind read and checked."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from regulars.errors import InputError, UnknownName
from regulars.reach.campaigns.definition import Audience, AudienceKind, MessageClass
from regulars.reach.campaigns.reading import Ground as CampaignGround
from regulars.reach.campaigns.reading import read_audience, read_channels, read_content
from regulars.reach.journeys.definition.nodes import (
    Act,
    Branch,
    Decide,
    Does,
    Edge,
    Exit,
    Goal,
    Node,
    NodeKind,
    Send,
    Split,
    Wait,
    WaitForEvent,
    When,
    Window,
)
from regulars.reach.journeys.definition.values import (
    conditions,
    duration,
    line,
    minute_of_day,
    names,
    only,
    short_name,
    table,
    tables,
    weekdays,
    whole,
)
from regulars.unify.tags.rules import read_rule


class NodeGround(Protocol):
    """What nodes are read against; `reading.Ground` keeps it."""

    @property
    def channels(self) -> Collection[str]:
        """Channels the settings name."""

    @property
    def topics(self) -> Collection[str] | None:
        """Topics customers can leave."""

    @property
    def hooks(self) -> Collection[str] | None:
        """Webhooks a node may call."""

    @property
    def offers(self) -> Collection[str] | None:
        """Offers there are."""


Read = tuple[Does, tuple[Edge, ...]]
Reader = Callable[[str, str, Mapping[str, Any], NodeGround], Read]


def read_node(journey_id: str, name: str, given: Any, ground: NodeGround) -> Node:
    """Read one node.

    Args:
        journey_id: The journey it is in.
        name: Its name.
        given: What the file says of it.
        ground: What it is read against.

    Returns:
        The node with its edges.

    Raises:
        InputError: A part cannot be used.
        UnknownName: There is no such kind of node, channel, topic, offer or webhook.
    """
    where = f"nodes.{name}"
    known = table(given, where)
    kinds = [kind.value for kind in NodeKind]
    if known.get("kind") not in kinds:
        raise UnknownName(f"kind of node ({where})", str(known.get("kind")), kinds)
    kind = NodeKind(known["kind"])
    fields, reader = _READERS[kind]
    only(known, {*fields, "kind", "note"}, f"{where} (kind {kind})")
    does, edges = reader(journey_id, where, known, ground)
    note = line(known.get("note", ""), f"{where}.note", 500, is_needed=False)
    return Node(name, kind, does, edges, note)


def _to(given: Mapping[str, Any], where: str, field: str = "next") -> str:
    if field not in given:
        raise InputError(f"{where} has no {field}: name the node that comes after it")
    return short_name(given[field], f"{where}.{field}")


def _next(given: Mapping[str, Any], where: str) -> tuple[Edge, ...]:
    return (Edge("next", _to(given, where)),)


def _wait(_id: str, where: str, given: Mapping[str, Any], _ground: NodeGround) -> Read:
    seconds = duration(given, where)
    until = minute_of_day(given["at"], f"{where}.at") if "at" in given else None
    days = weekdays(given["weekdays"], f"{where}.weekdays") if "weekdays" in given else ()
    if not seconds and until is None:
        raise InputError(
            f"{where} waits for nothing; give days, hours or minutes, a time of day as at, or both"
        )
    if days and until is None:
        raise InputError(f"{where} has weekdays and no at; say at which time of those days")
    return Wait(seconds, until, days), _next(given, where)


def _wait_for_event(_id: str, where: str, given: Mapping[str, Any], _ground: NodeGround) -> Read:
    seconds = duration(given, where, "timeout_")
    if not seconds:
        raise InputError(
            f"{where} has no timeout; give timeout_days, timeout_hours or timeout_minutes: "
            "whoever never does it would wait for ever"
        )
    does = WaitForEvent(
        line(given.get("event", ""), f"{where}.event"),
        conditions(given.get("where", []), f"{where}.where"),
        seconds,
    )
    edges = (
        Edge("event", _to(given, where)),
        Edge("timeout", _to(given, where, "on_timeout")),
    )
    return does, edges


def _window(_id: str, where: str, given: Mapping[str, Any], _ground: NodeGround) -> Read:
    begin = minute_of_day(given.get("from"), f"{where}.from")
    end = minute_of_day(given.get("to"), f"{where}.to")
    if begin == end:
        raise InputError(f"{where} is open from {given['from']} to {given['to']}: for no minute")
    days = weekdays(given["weekdays"], f"{where}.weekdays") if "weekdays" in given else ()
    return Window(begin, end, days), _next(given, where)


def _branch(_id: str, where: str, given: Mapping[str, Any], _ground: NodeGround) -> Read:
    cases = tables(given.get("cases", []), f"{where}.cases")
    if not cases:
        raise InputError(f"{where} has no cases; give one or more: when = {{...}}, next = ...")
    found, edges = [], []
    for number, one in enumerate(cases):
        place = f"{where}.cases[{number}]"
        only(one, {"name", "when", "next"}, place)
        found.append(_when(table(one.get("when", {}), f"{place}.when"), f"{place}.when"))
        label = short_name(one.get("name", f"case-{number + 1}"), f"{place}.name")
        edges.append(Edge(label, _to(one, place)))
    edges.append(Edge("otherwise", _to(given, where, "otherwise")))
    _each_once(edges, where)
    return Branch(tuple(found)), tuple(edges)


def _when(given: Mapping[str, Any], where: str) -> When:
    kinds = (AudienceKind.TAG, AudienceKind.SEGMENT)
    only(given, {"profile", "event", "audience", *kinds}, where)
    if not given:
        raise InputError(f"{where} is empty; give profile, event, tag, segment or audience")
    audiences = [
        Audience(kind, line(given[kind], f"{where}.{kind}")) for kind in kinds if kind in given
    ]
    if "profile" in given:
        read_rule(given["profile"], f"{where}.profile")
        audiences.append(Audience(AudienceKind.RULE, rule=given["profile"]))
    if "audience" in given:
        audiences.append(read_audience(given["audience"]))
    return When(conditions(given.get("event", []), f"{where}.event"), tuple(audiences))


def _split(journey_id: str, where: str, given: Mapping[str, Any], _ground: NodeGround) -> Read:
    arms = tables(given.get("arms", []), f"{where}.arms")
    if len(arms) < 2:
        raise InputError(f"{where} has {len(arms)} arms, must have two or more")
    edges, weights = [], []
    for number, one in enumerate(arms):
        place = f"{where}.arms[{number}]"
        only(one, {"name", "weight", "next"}, place)
        edges.append(Edge(short_name(one.get("name"), f"{place}.name"), _to(one, place)))
        weights.append(whole(one.get("weight", 1), f"{place}.weight", 1, 1_000_000))
    _each_once(edges, where)
    named = given.get("experiment", f"{journey_id}.{where.removeprefix('nodes.')}")
    total = sum(weights)
    shares = tuple(weight / total for weight in weights)
    return Split(line(named, f"{where}.experiment"), shares), tuple(edges)


def _decide(_id: str, where: str, given: Mapping[str, Any], ground: NodeGround) -> Read:
    offers = names(given.get("offers"), f"{where}.offers", ground.offers, "offer")
    channels = names(given.get("channels"), f"{where}.channels", ground.channels, "channel")
    edges = (Edge("chosen", _to(given, where)), Edge("none", _to(given, where, "otherwise")))
    return Decide(tuple(offers), tuple(channels)), edges


def _message(_id: str, where: str, given: Mapping[str, Any], ground: NodeGround) -> Read:
    kind = given.get("message_class", MessageClass.MARKETING.value)
    if kind not in list(MessageClass):
        raise UnknownName("message class", str(kind), [one.value for one in MessageClass])
    follows = given.get("follows_decision", False)
    if not isinstance(follows, bool):
        raise InputError(f"{where}.follows_decision is {follows!r}, must be true or false")
    if follows and "offer" in given:
        raise InputError(f"{where} follows a decision and names an offer; give one of them")
    topic = line(given.get("topic", ""), f"{where}.topic", 64, is_needed=False)
    if topic and ground.topics is not None and topic not in ground.topics:
        raise UnknownName("topic", topic, ground.topics)
    offer = line(given.get("offer", ""), f"{where}.offer", 64, is_needed=False)
    if offer and ground.offers is not None and offer not in ground.offers:
        raise UnknownName("offer", offer, ground.offers)
    try:
        channels = read_channels(given, CampaignGround(ground.channels))
        content = read_content(given, channels)
    except UnknownName:
        raise
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    priority = whole(given.get("priority", 0), f"{where}.priority", -1000, 1000)
    does = Send(channels, content, MessageClass(kind), topic, offer, priority, follows)
    return does, _next(given, where)


def _tag(_id: str, where: str, given: Mapping[str, Any], _ground: NodeGround) -> Read:
    does = given.get("do", "add")
    if does not in {"add", "remove"}:
        raise UnknownName("thing to do with a tag", str(does), ["add", "remove"])
    settings = {"tag": line(given.get("tag", ""), f"{where}.tag"), "do": does}
    return Act(settings), _next(given, where)


def _points(_id: str, where: str, given: Mapping[str, Any], _ground: NodeGround) -> Read:
    settings = {
        "points": whole(given.get("points"), f"{where}.points", 1, 10_000_000),
        "reason": line(given.get("reason", ""), f"{where}.reason", is_needed=False),
    }
    return Act(settings), _next(given, where)


def _coupon(_id: str, where: str, given: Mapping[str, Any], ground: NodeGround) -> Read:
    offer = line(given.get("offer", ""), f"{where}.offer", 64)
    if ground.offers is not None and offer not in ground.offers:
        raise UnknownName("offer", offer, ground.offers)
    target = _to(given, where)
    refused = short_name(given.get("otherwise", target), f"{where}.otherwise")
    return Act({"offer": offer}), (Edge("next", target), Edge("none", refused))


def _webhook(_id: str, where: str, given: Mapping[str, Any], ground: NodeGround) -> Read:
    hook = line(given.get("hook", ""), f"{where}.hook", 64)
    if ground.hooks is not None and hook not in ground.hooks:
        raise UnknownName("webhook", hook, ground.hooks)
    body = table(given.get("body", {}), f"{where}.body")
    return Act({"hook": hook, "body": dict(body)}), _next(given, where)


def _goal(_id: str, where: str, given: Mapping[str, Any], _ground: NodeGround) -> Read:
    return Goal(line(given.get("goal", ""), f"{where}.goal", 64)), _next(given, where)


def _exit(_id: str, where: str, given: Mapping[str, Any], _ground: NodeGround) -> Read:
    return Exit(short_name(given.get("reason", "finished"), f"{where}.reason")), ()


def _each_once(edges: list[Edge], where: str) -> None:
    labels = [edge.label for edge in edges]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise InputError(f"{where} has two ways called {twice[0]!r}; give each its own name")


_READERS: dict[NodeKind, tuple[frozenset[str], Reader]] = {
    NodeKind.WAIT: (frozenset({"days", "hours", "minutes", "at", "weekdays", "next"}), _wait),
    NodeKind.WAIT_FOR_EVENT: (
        frozenset({
            "event", "where", "timeout_days", "timeout_hours", "timeout_minutes", "next",
            "on_timeout",
        }),
        _wait_for_event,
    ),
    NodeKind.WINDOW: (frozenset({"from", "to", "weekdays", "next"}), _window),
    NodeKind.BRANCH: (frozenset({"cases", "otherwise"}), _branch),
    NodeKind.SPLIT: (frozenset({"experiment", "arms"}), _split),
    NodeKind.DECIDE: (frozenset({"offers", "channels", "next", "otherwise"}), _decide),
    NodeKind.MESSAGE: (
        frozenset({
            "channel", "channels", "content", "message_class", "topic", "offer", "priority",
            "follows_decision", "next",
        }),
        _message,
    ),
    NodeKind.TAG: (frozenset({"tag", "do", "next"}), _tag),
    NodeKind.POINTS: (frozenset({"points", "reason", "next"}), _points),
    NodeKind.COUPON: (frozenset({"offer", "next", "otherwise"}), _coupon),
    NodeKind.WEBHOOK: (frozenset({"hook", "body", "next"}), _webhook),
    NodeKind.GOAL: (frozenset({"goal", "next"}), _goal),
    NodeKind.EXIT: (frozenset({"reason"}), _exit),
}  # fmt: skip
