"""The case of one contact: everything the rules ask about it, already found out."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from regulars.govern.consent import Status
from regulars.govern.policy.ages import Age
from regulars.govern.policy.asks import MARKETING_CLASS, TRANSACTIONAL_CLASS
from regulars.govern.policy.reasons import Reason

Barred = Literal["", "marketing", "every"]
Room = Literal["", "full", "outranked", "forbidden", "no_grant"]


class Case(NamedTuple):
    """What the rules look at. A contact nothing stands against has every default.

    Attributes:
        message_class: marketing or transactional.
        is_automated: True when a program chose it from what is known of the customer.
        holdout: global_holdout, campaign_holdout or "".
        is_stopped: True during an emergency stop.
        consent: Status of consent to marketing on the channel.
        is_consent_required: True when only a recorded grant allows marketing.
        is_stale: True when the grant rests on a notice older than the one required.
        has_left_topic: True when the customer left the topic.
        barred: Which classes a suppression of the channel bars: none, marketing or every.
        age: adult, minor or child, on the day it is where the retailer is.
        has_guardian_consent: True when a guardian consented.
        is_profiling_refused: True when the customer switched personalisation off.
        quota: What a platform's rules say: "", "full", "outranked", "forbidden" or "no_grant".
        cap: What the caps say: "", "full" or "outranked".
        is_quiet: True in quiet hours where the customer is.
        is_out_of_stock: True when the offer has run out.
        is_limit_reached: True when the customer has as many codes of the offer as it allows.
        is_left_out: True when the customer's variant of a running experiment leaves the offer out.
    """

    message_class: str = MARKETING_CLASS
    is_automated: bool = False
    holdout: str = ""
    is_stopped: bool = False
    consent: str = Status.GRANTED.value
    is_consent_required: bool = True
    is_stale: bool = False
    has_left_topic: bool = False
    barred: Barred = ""
    age: Age = "adult"
    has_guardian_consent: bool = False
    is_profiling_refused: bool = False
    quota: Room = ""
    cap: Room = ""
    is_quiet: bool = False
    is_out_of_stock: bool = False
    is_limit_reached: bool = False
    is_left_out: bool = False

    @property
    def is_marketing(self) -> bool:
        """True for what the customer does not wait for.

        Whatever is not said to be transactional is marketing: a new word opens nothing.
        """
        return self.message_class != TRANSACTIONAL_CLASS


Rule = Callable[[Case], Reason | None]
