"""What is known of one customer that the rules of contact ask about."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from regulars.errors import InputError


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """What is known of one customer.

    Attributes:
        customer_id: Who.
        zone: IANA zone he is in; None when not known: that of the workspace.
        born_on: Day of birth; None when not known.
        locale: Language he reads, such as zh-CN; None when not known.
        has_guardian_consent: True when a guardian's consent is on file.
    """

    customer_id: str
    zone: str | None = None
    born_on: date | None = None
    locale: str | None = None
    has_guardian_consent: bool = False


def checked_facts(facts: ContactFacts) -> ContactFacts:
    """Hold facts against what can be true.

    Returns:
        The facts.

    Raises:
        InputError: The customer has no id, or the zone is none.

    Example:
        >>> checked_facts(ContactFacts("ann", zone="Asia/Shanghai")).zone
        'Asia/Shanghai'
    """
    if not facts.customer_id:
        raise InputError("customer_id is empty, must name a customer")
    if facts.zone is not None and not is_zone(facts.zone):
        raise InputError(
            f"zone of {facts.customer_id} is {facts.zone!r}, which is no IANA zone; use a name "
            "such as Asia/Shanghai, or leave it out"
        )
    return facts


def is_zone(zone: str) -> bool:
    """Tell whether a name is that of a zone.

    Returns:
        False for what is no IANA name.

    Example:
        >>> is_zone("Asia/Shanghai"), is_zone("GMT+8:00")
        (True, False)
    """
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return False
    return True
