"""What the rules of contact are asked, and what they answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

MARKETING_CLASS = "marketing"
TRANSACTIONAL_CLASS = "transactional"

Decision = Literal["allow", "hold", "skip"]


@dataclass(frozen=True, slots=True)
class Ask:
    """One contact that wants to go out.

    Attributes:
        key: Deterministic key of the contact.
        customer_id: Who.
        channel: Channel it takes.
        message_class: "marketing", or "transactional" for what the customer waits for: an
            order, a delivery, a code.
        topic: What it is about, such as news; "" for nothing a customer can leave.
        campaign_id: Campaign it belongs to; "" for none.
        offer_id: Offer it carries; "" for none.
        priority: Who goes first when there is room for one: the higher.
        sender: Who sends it on the platform, such as a member of staff or a signature and
            template; "" where that makes no difference.
        is_automated: True when a program chose it from what is known of the customer.
        holdout: "global_holdout" or "campaign_holdout" when the customer is to be left alone;
            "" when not.
    """

    key: str
    customer_id: str
    channel: str
    message_class: str = MARKETING_CLASS
    topic: str = ""
    campaign_id: str = ""
    offer_id: str = ""
    priority: int = 0
    sender: str = ""
    is_automated: bool = False
    holdout: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules of contact say of one contact.

    Attributes:
        decision: allow, hold (ask again at `hold_until`) or skip.
        reason: Reason code of the first rule that refuses; "" when allowed.
        hold_until: First moment it is worth asking again, aware UTC; None unless held.
    """

    decision: Decision
    reason: str = ""
    hold_until: datetime | None = None


ALLOWED = Verdict("allow")
