"""What `report.json` holds: the keys programs may rely on, and the check that they are there."""

from typing import Any, NotRequired, TypedDict

import msgspec

from regulars.errors import InputError


class Collect(TypedDict):
    """What was imported; `sales` in the retailer's currency, `customers` those with an order."""

    customers: int
    orders: int
    order_lines: int
    sales: float
    quarantined: int


class Span(TypedDict):
    """A difference with its interval."""

    estimate: float
    low: float
    high: float


class Tenth(TypedDict):
    """A tenth of the customers by expected spend: mean expected and mean actual spend."""

    decile: int
    expected: float
    actual: float


class Backtest(TypedDict):
    """The forecast of the model that decide uses, beside two naive ones.

    `mae` is money per customer, lower is better; `spearman` is rank correlation, higher is
    better. `naive` is "spends what he spent in as many weeks before", `blend` mixes that with
    the mean of all weeks. `mae_over_blend` is the model's error less the blend's.
    """

    model: str
    horizon_weeks: int
    mae: float
    spearman: float
    naive_mae: float
    naive_spearman: float
    customers: NotRequired[int]
    blend_mae: NotRequired[float]
    blend_spearman: NotRequired[float]
    level: NotRequired[float]
    mae_over_naive: NotRequired[Span]
    mae_over_blend: NotRequired[Span]
    deciles: NotRequired[list[Tenth]]


class Counted(TypedDict):
    """Readable intervals, and those among them that contain zero."""

    intervals: int
    containing_zero: int


class Effect(TypedDict):
    """An effect on margin, before contact cost; empty figures unless `status` is ok."""

    estimate: float | None
    low: float | None
    high: float | None
    level: float
    mde: float | None
    status: NotRequired[str]
    treated: NotRequired[int]
    control: NotRequired[int]


class Programme(Effect):
    """The cumulative effect against the global holdout; `claims` is true when one is claimed.

    `truth` is known in the twin only.
    """

    from_turn: NotRequired[int]
    to_turn: NotRequired[int]
    claims: NotRequired[bool]
    truth: NotRequired[float]


class RealityCheck(TypedDict):
    """Contacts that were never delivered: what the measured effects say of nothing."""

    turns: int
    intervals: int
    containing_zero: int
    by_metric: NotRequired[dict[str, Counted]]
    claims: NotRequired[int]
    programme: NotRequired[Programme | None]


class TurnOfTwin(TypedDict):
    """One turn: everyone in the audience by fate, money spent, effect measured and true.

    `eligible` is the sum of all fates; `skipped` and `failed` count by reason. `spend` is what
    the turn took from the budget, `contact_cost` what the contacts handed over cost. `truth` is
    the margin that the turn's contacts caused within the window; `effect` is None when nothing
    was measured.
    """

    turn: int
    eligible: int
    sent: int
    abstained: int
    holdout: int
    deferred: int
    skipped: dict[str, int]
    failed: dict[str, int]
    unknown: int
    spend: float
    effect: Effect | None
    truth: float
    contact_cost: NotRequired[float]
    opted_out: NotRequired[int]


class PolicyRun(TypedDict):
    """One policy in the twin, turn by turn.

    `margin_by_turn` is the true margin of all customers, after offers and contact cost.
    """

    margin_by_turn: list[float]
    contacts_by_turn: NotRequired[list[int]]
    spend_by_turn: NotRequired[list[float]]
    opted_out_by_turn: NotRequired[list[int]]


class Adjustment(TypedDict):
    """One change the loop made to its own beliefs, with what it rests on."""

    turn: int
    subject: str
    before: float | None
    after: float
    evidence: str


class Predicted(TypedDict):
    """Margin that decisions expected of a campaign (* is all of a turn) and what was measured."""

    measured_turn: int
    campaign_id: str
    predicted: float
    measured: float | None
    low: float | None
    high: float | None
    inside: bool | None


class Invented(TypedDict):
    """One figure of the twin that somebody chose, and why it is what it is."""

    name: str
    value: float
    why: str


class Moment(TypedDict):
    """One figure of shopping habits, in the real households and in the twin."""

    name: str
    real: float
    twin: float


class Report(TypedDict):
    """All of `report.json`. Parts that a demo was told to leave out are absent."""

    settings: dict[str, Any]
    turns: list[TurnOfTwin]
    programme: Programme
    policies: dict[str, PolicyRun]
    timing: dict[str, float]
    collect: NotRequired[Collect]
    backtest: NotRequired[Backtest]
    reality_check: NotRequired[RealityCheck]
    adjustments: NotRequired[list[Adjustment]]
    predictions: NotRequired[list[Predicted]]
    figures: NotRequired[list[Invented]]
    moments: NotRequired[list[Moment]]
    twin_collect: NotRequired[Collect]


def check_report(report: Any) -> Report:
    """Check a report before it is written; further keys are let through.

    Args:
        report: Plain values as JSON has them.

    Returns:
        The declared part of the report.

    Raises:
        InputError: A key is missing or of the wrong type, or a turn loses a customer.
    """
    try:
        checked: Report = msgspec.convert(report, Report)
    except msgspec.ValidationError as error:
        raise InputError(
            f"the report breaks its contract: {error}; see regulars.rehearse.report.contract"
        ) from error
    for turn in checked["turns"]:
        fates = (
            turn["sent"],
            turn["abstained"],
            turn["holdout"],
            turn["deferred"],
            turn["unknown"],
        )
        found = sum(fates) + sum(turn["skipped"].values()) + sum(turn["failed"].values())
        if found != turn["eligible"]:
            raise InputError(
                f"turn {turn['turn']} counts {turn['eligible']} eligible customers but "
                f"{found} fates; every customer must have exactly one"
            )
    return checked
