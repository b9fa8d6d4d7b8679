"""Metrics as definitions: what is counted, over what, and what it is compared with."""

from dataclasses import dataclass
from enum import StrEnum

from regulars.errors import InputError
from regulars.numerics.given import number_given, word_given


class Kind(StrEnum):
    """How a metric is put together from one row per customer."""

    MEAN = "mean"
    PROPORTION = "proportion"
    RATIO = "ratio"
    QUANTILE = "quantile"


@dataclass(frozen=True)
class Metric:
    """One metric of an experiment.

    Attributes:
        name: How it is called.
        value: Column of the metric per customer; true or false (or 1 and 0) for a proportion;
            the numerator of a ratio.
        kind: How it is put together.
        over: Column of the denominator of a ratio; "" otherwise.
        before: Column of the same customer's past, for CUPED; "" for none. Something that
            happened before the experiment, never during it.
        share: Which quantile, in (0, 1).
        is_guardrail: True when it must not get worse; read like the others.
    """

    name: str
    value: str
    kind: Kind = Kind.MEAN
    over: str = ""
    before: str = ""
    share: float = 0.5
    is_guardrail: bool = False

    def __post_init__(self) -> None:
        """Refuse definitions that contradict themselves.

        Raises:
            InputError: A ratio has no denominator, another kind has one, or a ratio or quantile
                asks for CUPED.
            UnknownName: There is no such kind.
        """
        kind = word_given(self.kind, Kind, "kind of metric")
        object.__setattr__(self, "kind", kind)
        if (kind is Kind.RATIO) != bool(self.over):
            over = f"over {self.over}" if self.over else "over nothing"
            raise InputError(
                f"metric {self.name} is a {kind} {over}; a ratio names its denominator column in "
                "`over`, other kinds leave it empty"
            )
        if self.before and kind in {Kind.RATIO, Kind.QUANTILE}:
            raise InputError(
                f"metric {self.name} is a {kind} with a covariate; only means and proportions are "
                "adjusted by the past: leave `before` empty"
            )
        if not 0 < number_given(self.share, "share") < 1:
            raise InputError(
                f"metric {self.name} asks for quantile {self.share}, must be in (0, 1)"
            )

    @property
    def other(self) -> str:
        """The second column its moments need; "" when none."""
        return self.over or self.before
