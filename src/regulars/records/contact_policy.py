"""What the rules of contact can be set to, with the defaults."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cap:
    """One more cap on the marketing contacts of a customer.

    Attributes:
        scope: What it counts and bars: "all", "channel:NAME" or "topic:NAME".
        contacts: Most contacts within the window.
        days: Length of the window in days; a calendar month needs none.
        window: "rolling", "calendar_day" or "calendar_month", on the customer's own clock.
        when_full: "drop" what is above, or "hold" it until there is room.
        name: Shown in reasons; "" for the scope.
    """

    scope: str = "all"
    contacts: int = 1
    days: int = 1
    window: str = "rolling"
    when_full: str = "drop"
    name: str = ""


@dataclass(frozen=True)
class Quiet:
    """Quiet hours of one channel, class or topic, instead of the usual ones.

    Attributes:
        scope: "channel:NAME", "topic:NAME" or "class:transactional".
        quiet_from: Local hour quiet time starts, 0 to 23.
        quiet_to: Local hour quiet time ends, 0 to 23; the same hour means never quiet.
    """

    scope: str = ""
    quiet_from: int = 21
    quiet_to: int = 8


@dataclass(frozen=True)
class QuotaSettings:
    """What the workspace says of a platform's quota.

    Attributes:
        name: Name of the quota, as `regulars govern policy` lists it.
        contacts: Most contacts within its window; -1 for what the quota says.
        when_full: "drop" or "hold"; "" for what the quota says.
        is_off: True when it does not hold for this workspace.
        source: Where that is written, such as the platform's letter.
        as_of: Day it was read, such as 2026-11-21.
    """

    name: str = ""
    contacts: int = -1
    when_full: str = ""
    is_off: bool = False
    source: str = ""
    as_of: str = ""


@dataclass(frozen=True)
class Policy:
    """Rules of contact that every send passes.

    Attributes:
        quiet_from: Local hour quiet time starts, 0 to 23, where the customer is.
        quiet_to: Local hour quiet time ends, 0 to 23.
        dispatch_hour: Local hour a turn's contacts go out, on the day after `as_of`.
        cap_contacts: Most marketing contacts a customer gets within `cap_days`.
        cap_days: Length of the rolling cap window.
        cap_when_full: "drop" what is above the cap, or "hold" it until there is room.
        consent_required: True when only a recorded "granted" allows a contact; False when
            everything but a recorded refusal does.
        approval_required: True when a marketing campaign goes out only once somebody other
            than its makers has approved it as it stands; turns of the loop are not campaigns
            of a person and go on as they are set.
        transactional_approval_required: The same for transactional campaigns.
        notice_version: Oldest notice whose consent to marketing still holds; "" for any.
        minor_age: Age below which no program chooses marketing for a customer.
        child_age: Age below which no marketing goes out without a guardian's consent.
        unknown_age: What to take a customer for whose age is not known: "adult", "minor" or
            "child".
        caps: More caps, each a table `[[policy.caps]]`.
        quiet: Other quiet hours, each a table `[[policy.quiet]]`.
        quotas: Changed quotas of platforms, each a table `[[policy.quotas]]`.
    """

    quiet_from: int = 21
    quiet_to: int = 8
    dispatch_hour: int = 10
    cap_contacts: int = 2
    cap_days: int = 28
    cap_when_full: str = "drop"
    consent_required: bool = True
    approval_required: bool = True
    transactional_approval_required: bool = True
    notice_version: str = ""
    minor_age: int = 18
    child_age: int = 14
    unknown_age: str = "adult"
    caps: tuple[Cap, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    quotas: tuple[QuotaSettings, ...] = ()
