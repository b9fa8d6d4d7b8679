"""Which channels are left alone: by themselves within guardrails, or by a person's word."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from regulars.adjust.alerts.watching import EVERY, Alert, Gravity


@dataclass(frozen=True)
class Guardrails:
    """How far the system may go by itself.

    Attributes:
        is_automatic: False to leave every move to a person.
        turns: Turns a channel is left alone before it is tried again.
        most: Channels that may be left alone by themselves at one time.
    """

    is_automatic: bool = True
    turns: int = 4
    most: int = 1


@dataclass(frozen=True)
class Hold:
    """A channel the loop leaves alone.

    Attributes:
        channel: The channel.
        since_turn: Turn from which on.
        until_turn: First turn that uses it again.
        source: automatic, or person.
        reason: The alert it rests on, such as "delivered broken", or what the person said.
    """

    channel: str
    since_turn: int
    until_turn: int
    source: str
    reason: str


@dataclass(frozen=True)
class Word:
    """What a person said of a channel.

    Attributes:
        channel: The channel.
        is_held: True to leave it alone, False to use it whatever alerts say.
        until_turn: First turn the word no longer counts for.
        reason: Why.
    """

    channel: str
    is_held: bool
    until_turn: int
    reason: str


@dataclass(frozen=True)
class Moves:
    """What follows from alerts.

    Attributes:
        holds: Channels left alone in this turn.
        action_by_channel: What is done about a broken channel: held, released (a person's word
            stands against it), or needs_person (a guardrail does).
    """

    holds: tuple[Hold, ...]
    action_by_channel: Mapping[str, str]


def hold_channels(
    turn: int,
    channels: Sequence[str],
    *,
    before: Iterable[Hold],
    alerts: Sequence[Alert],
    words: Sequence[Word],
    rails: Guardrails,
) -> Moves:
    """Say which channels this turn leaves alone.

    A person's word comes first. What was held stays held until its turn comes. A broken channel
    is then held by itself, if not too many are and at least one other channel stays open:
    otherwise a person must decide. So must one about an effect that is gone: it has no channel
    of its own, and beliefs and the budget that is opened follow what was measured anyway.

    Args:
        turn: The turn about to decide.
        channels: The channels of the workspace.
        before: Holds of the turn before.
        alerts: What was found now.
        words: What people said and still counts.
        rails: How far the system may go.

    Returns:
        The holds, and what is done about each broken channel.

    Example:
        >>> hold_channels(5, ["app", "sms"], before=[Hold("sms", 2, 6, "automatic", "")],
        ...               alerts=[], words=[], rails=Guardrails()).holds[0].until_turn
        6
    """
    said = {word.channel: word for word in words if word.until_turn > turn}
    holds = {
        word.channel: Hold(word.channel, turn, word.until_turn, "person", word.reason)
        for word in said.values()
        if word.is_held
    }
    for old in before:
        if old.until_turn > turn and old.source == "automatic" and old.channel not in said:
            holds[old.channel] = old
    actions: dict[str, str] = {}
    broken = {one.channel: one for one in alerts if one.gravity is Gravity.BROKEN}
    for channel, alert in broken.items():
        if channel in holds:
            actions[channel] = "held"
        elif channel in said:
            actions[channel] = "released"
        elif _may_hold(channel, channels, holds, rails):
            reason = f"{alert.kind.value} {alert.gravity.value}"
            holds[channel] = Hold(channel, turn, turn + rails.turns, "automatic", reason)
            actions[channel] = "held"
        else:
            actions[channel] = "needs_person"
    return Moves(tuple(holds[name] for name in sorted(holds)), actions)


def _may_hold(
    channel: str, channels: Sequence[str], holds: Mapping[str, Hold], rails: Guardrails
) -> bool:
    by_itself = sum(one.source == "automatic" for one in holds.values())
    if channel == EVERY:
        return False
    others = [name for name in channels if name != channel and name not in holds]
    return rails.is_automatic and by_itself < rails.most and bool(others)
