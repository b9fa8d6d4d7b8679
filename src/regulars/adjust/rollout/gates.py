"""May a campaign go on: what came back of a phase is held against its limits."""

from dataclasses import dataclass
from enum import StrEnum

from regulars.adjust.rollout.exact_bounds import Rate, exact_interval, is_above
from regulars.reach.campaigns.definition import Phase, StopRules


class Gate(StrEnum):
    """What a gate says of a phase."""

    GO = "go"
    WAIT = "wait"
    ASK = "ask"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Returns:
    """What came back of the contacts of a phase so far.

    Attributes:
        sent: Contacts a provider took.
        failed: Contacts it refused for good.
        unknown: Contacts nobody confirmed.
        bounced: Sent contacts that came back.
        complained: Sent contacts complained about.
        opted_out: Sent contacts answered by opting out.
        undelivered: Sent contacts the provider gave up on later.
    """

    sent: int = 0
    failed: int = 0
    unknown: int = 0
    bounced: int = 0
    complained: int = 0
    opted_out: int = 0
    undelivered: int = 0

    def rates(self) -> dict[str, Rate]:
        """Give each rate by the name of its limit."""
        return {
            "bounce": Rate(self.bounced, self.sent),
            "complaint": Rate(self.complained, self.sent),
            "error": Rate(
                self.failed + self.unknown + self.undelivered,
                self.sent + self.failed + self.unknown,
            ),
            "opt_out": Rate(self.opted_out, self.sent),
        }


@dataclass(frozen=True, slots=True)
class Measured:
    """One rate against its limit.

    Attributes:
        name: bounce, complaint, error or opt_out.
        hits: How often it happened.
        tried: How often it could have.
        limit: The limit.
        low: Lower end of the rates that fit, at the level of the rules.
        high: Upper end.
        is_proved: True when the rate is known to lie above the limit, however often we look.
    """

    name: str
    hits: int
    tried: int
    limit: float
    low: float
    high: float
    is_proved: bool

    @property
    def is_over(self) -> bool:
        """True when the share seen lies above the limit, be it by luck."""
        return self.tried > 0 and self.hits / self.tried > self.limit


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate says of a phase, and why.

    Attributes:
        gate: What is to be done.
        reason: Code: above_limit, sending, waiting, perhaps_above, too_few, by_person or "".
        measured: Every rate against its limit.
    """

    gate: Gate
    reason: str
    measured: tuple[Measured, ...]

    @property
    def says(self) -> str:
        """The rates at fault, in words: "bounce 9 of 100, limit 5.0 %"."""
        at_fault = [m for m in self.measured if m.is_proved] or [
            m for m in self.measured if m.is_over
        ]
        return "; ".join(
            f"{m.name} {m.hits} of {m.tried}, limit {m.limit * 100:.1f} %" for m in at_fault
        )


def judge_phase(
    returns: Returns,
    rules: StopRules,
    phase: Phase,
    *,
    is_sending: bool,
    hours: float,
) -> Judgement:
    """Judge a phase by what came back of it.

    Args:
        returns: What came back so far.
        rules: Limits of the campaign.
        phase: The phase.
        is_sending: True while contacts of it may still go out.
        hours: Hours since its last contact.

    Returns:
        STOP as soon as a rate is known to be too high; WAIT while it sends or its receipts are
        awaited; ASK a person when a rate looks too high but may be luck, when too little was
        sent to tell, or when the phase says so; GO otherwise.

    Example:
        >>> pilot = Phase("pilot", share=0.1, wait_hours=24)
        >>> judge_phase(Returns(sent=200, bounced=30), StopRules(), pilot, is_sending=True,
        ...             hours=0).says
        'bounce 30 of 200, limit 5.0 %'
        >>> judge_phase(Returns(sent=200, bounced=2), StopRules(), pilot, is_sending=False,
        ...             hours=25).gate.value
        'go'
    """
    measured = tuple(
        _measured(name, rate, getattr(rules, name), rules.level)
        for name, rate in returns.rates().items()
    )
    found = (
        (any(one.is_proved for one in measured), Gate.STOP, "above_limit"),
        (is_sending, Gate.WAIT, "sending"),
        (hours < phase.wait_hours, Gate.WAIT, "waiting"),
        (any(one.is_over for one in measured), Gate.ASK, "perhaps_above"),
        (returns.sent < rules.least_sent, Gate.ASK, "too_few"),
        (phase.is_manual, Gate.ASK, "by_person"),
        (True, Gate.GO, ""),
    )
    gate, reason = next((gate, reason) for holds, gate, reason in found if holds)
    return Judgement(gate, reason, measured)


def _measured(name: str, rate: Rate, limit: float, level: float) -> Measured:
    low, high = exact_interval(rate, level=level)
    proved = is_above(rate, limit, level=level)
    return Measured(name, rate.hits, rate.tried, limit, low, high, proved)
