"""What a campaign is: who gets which message by which channel, when, how carefully."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any


class MessageClass(StrEnum):
    """What a message is for: the law asks consent for one and not for the other."""

    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"


class AudienceKind(StrEnum):
    """Where the customers of an audience come from."""

    LIST = "list"
    TAG = "tag"
    SEGMENT = "segment"
    RULE = "rule"
    AUDIENCE = "audience"
    EVERYBODY = "everybody"
    TRIGGER = "trigger"


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a campaign is about.

    Attributes:
        kind: Where they come from; TRIGGER: nobody beforehand, each by an event.
        name: Tag, segment, saved audience, or the hash of a list; "" for the others.
        rule: Conditions on profiles; empty unless `kind` is RULE.
        customers: Length of a list; 0 for the others.
    """

    kind: AudienceKind
    name: str = ""
    rule: Mapping[str, Any] = field(default_factory=dict)
    customers: int = 0


@dataclass(frozen=True, slots=True)
class Phase:
    """One part of the audience, reached before the next one.

    Attributes:
        name: What it is called: pilot, region, all.
        share: Share of the audience drawn by hash; None when `regions` or the rest say who.
        regions: Values of the campaign's region field; empty when `share` or the rest say who.
        wait_hours: Hours after its last contact before it is judged.
        is_manual: True when a person lets the next phase begin.
    """

    name: str
    share: float | None = None
    regions: tuple[str, ...] = ()
    wait_hours: float = 24.0
    is_manual: bool = False


@dataclass(frozen=True, slots=True)
class StopRules:
    """Rates above which a campaign stops by itself; each is a share of what was sent.

    Attributes:
        bounce: Contacts that bounced.
        complaint: Contacts complained about.
        error: Contacts refused by the provider or never confirmed, of all tried.
        opt_out: Contacts answered by opting out.
        least_sent: Contacts sent before a phase may pass by itself.
        level: Probability that a campaign below all rates is never stopped, per rate.
    """

    bounce: float = 0.05
    complaint: float = 0.001
    error: float = 0.02
    opt_out: float = 0.02
    least_sent: int = 50
    level: float = 0.99


@dataclass(frozen=True, slots=True)
class Campaign:
    """One version of a campaign, whole: nothing of it is looked up later.

    Attributes:
        id: Short name in lower case, used in run ids and commands.
        name: What people call it.
        message_class: Marketing needs consent; transactional follows from an order.
        topic: What a customer may opt out of by itself; "" for none.
        channels: In order of preference: the first one a customer may be reached by is used.
        content: What is said, id@version by channel; empty where channels write files.
        offer: Offer it carries; "" for none.
        audience: Whom it is about.
        holdout: Share left alone so that the effect can be measured, 0 to 0.5.
        priority: Higher goes first when rules let one message through only.
        not_before: First moment a contact may go out, aware UTC; None for at once.
        not_after: Last one; contacts still waiting are then skipped; None for no end.
        send_per_minute: Most contacts a minute; 0 for as fast as channels take them.
        window_days: Days of outcome its effect is measured over.
        region_field: Column of profiles that `regions` of phases name.
        phases: Parts of the audience in order; the last one takes everybody left.
        stop: Rates above which it stops by itself.
        cost: Cost of one contact; None for the cost of its channel.
        note: What it is for, in words.
    """

    id: str
    name: str
    message_class: MessageClass
    channels: tuple[str, ...]
    audience: Audience
    topic: str = ""
    content: Mapping[str, str] = field(default_factory=dict)
    offer: str = ""
    holdout: float = 0.1
    priority: int = 0
    not_before: datetime | None = None
    not_after: datetime | None = None
    send_per_minute: int = 0
    window_days: int = 7
    region_field: str = "city"
    phases: tuple[Phase, ...] = (Phase("all"),)
    stop: StopRules = StopRules()
    cost: Decimal | None = None
    note: str = ""

    @property
    def is_marketing(self) -> bool:
        """True when rules about marketing hold for it."""
        return self.message_class is MessageClass.MARKETING

    @property
    def is_chosen_by_program(self) -> bool:
        """True when a program picks its customers by what is known of them.

        Minors and whoever switched profiling off are then not contacted; a list somebody wrote
        and everybody alike are no automated decisions.
        """
        by_traits = {
            AudienceKind.TAG,
            AudienceKind.SEGMENT,
            AudienceKind.RULE,
            AudienceKind.AUDIENCE,
        }
        return self.is_marketing and self.audience.kind in by_traits

    @property
    def says_one_thing(self) -> bool:
        """True when every channel carries the same content."""
        return len({self.content.get(channel, "") for channel in self.channels}) == 1


def as_plain(campaign: Campaign) -> dict[str, Any]:
    """Give a campaign as JSON values, the same for the same campaign.

    Returns:
        Mapping of plain values; moments as ISO 8601, money as text.
    """
    plain: dict[str, Any] = json.loads(json.dumps(asdict(campaign), default=_plain))
    return plain


def hash_of(value: Any) -> str:
    """Name any JSON value by what it says.

    Returns:
        SHA-256 over its canonical JSON, as 64 hexadecimal digits.

    Example:
        >>> hash_of({"b": 1, "a": 2}) == hash_of({"a": 2, "b": 1})
        True
    """
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)
