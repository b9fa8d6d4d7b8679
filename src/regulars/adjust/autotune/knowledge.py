"""What the loop has learned so far, and how one measured turn changes it."""

import json
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from regulars.adjust.autotune.carry_over import LAGS, carried, learn_carry_over, starting_carry_over
from regulars.adjust.autotune.evidence import Decided, evidence, without_contacts
from regulars.adjust.autotune.learning import learn, predicted_effect, residuals
from regulars.adjust.autotune.spend_share import Readout, calibration, spend_share
from regulars.decide.offers import Arm
from regulars.decide.uplift.effects import (
    arm_coefficients,
    belief_from_rows,
    belief_to_rows,
    extended,
    starting_belief,
)
from regulars.numerics.linear_belief import LinearBelief

EFFECT = "effect."
"""What the subject of a change of an arm's mean effect begins with."""

_OPT_OUT_PRIOR = (1.0, 500.0)
_RECENT_SLOPES = 4
_LEFT_OUT = "left_out."
_SUSPICION = "suspicion"
_NOT_CHANGES = ("slope.", "learned_turn", _SUSPICION, _LEFT_OUT)


@dataclass
class Knowledge:
    """What is known when a turn starts to learn; it changes as the turn learns.

    Attributes:
        belief: Effects of contacts within the window.
        carry: What contacts do to later weeks.
        values: Tuned parameters by name.
        weights: Precision of the parameters that were measured, by name.
    """

    belief: LinearBelief
    carry: LinearBelief
    values: dict[str, float] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)

    @classmethod
    def from_rows(
        cls,
        priors: Sequence[Mapping[str, Any]],
        parameters: Sequence[Mapping[str, Any]],
        arms: Sequence[Arm],
    ) -> "Knowledge":
        """Read what an earlier turn wrote.

        Args:
            priors: Rows of table `uplift_priors` by position; carry-over stands below 0.
            parameters: Rows of table `parameters`.
            arms: The actions there are now; new ones start without data.

        Returns:
            The knowledge; the starting beliefs when nothing was written yet.
        """
        belief = [row for row in priors if row["position"] >= 0]
        carry = [row for row in priors if row["position"] < 0]
        return cls(
            extended(belief_from_rows(belief), arms) if belief else starting_belief(arms),
            belief_from_rows(carry) if carry else starting_carry_over(),
            {row["name"]: row["value"] for row in parameters},
            {row["name"]: row["weight"] for row in parameters},
        )

    @property
    def left_out(self) -> set[int]:
        """The turns this knowledge has nothing of, because people said so."""
        names = (name for name in self.values if name.startswith(_LEFT_OUT))
        return {int(name.removeprefix(_LEFT_OUT)) for name in names}

    def from_the_start(self, arms: Sequence[Arm], *, left_out: Set[int]) -> "Knowledge":
        """Give the starting beliefs, to learn all turns again but some.

        Returns:
            The knowledge; opt-out rates counted so far stand at what was believed at first, so
            that the change of each is told.
        """
        fresh = Knowledge.from_rows([], [], arms)
        for name in (name for name in self.values if name.startswith("opt_out.")):
            fresh.values[name] = _OPT_OUT_PRIOR[0] / sum(_OPT_OUT_PRIOR)
            fresh.weights[name] = sum(_OPT_OUT_PRIOR)
        fresh.values |= {f"{_LEFT_OUT}{turn:03d}": 1.0 for turn in sorted(left_out)}
        return fresh

    def prior_rows(self) -> list[dict[str, Any]]:
        """Write the beliefs as rows of table `uplift_priors`."""
        carry = belief_to_rows(self.carry, first=-len(self.carry.terms))
        return carry + belief_to_rows(self.belief)

    def parameter_rows(self) -> list[dict[str, Any]]:
        """Write the parameters as rows of table `parameters`, by name."""
        return [
            {"name": name, "value": self.values[name], "weight": self.weights.get(name, 0.0)}
            for name in sorted(self.values)
        ]

    def learn_turn(
        self,
        arms: Sequence[Arm],
        decisions: Mapping[int, Decided],
        measured: int,
        outcomes: pa.Table,
    ) -> dict[str, Any]:
        """Learn from one turn whose window has closed.

        Args:
            arms: The actions, in order.
            decisions: Decided arrays by turn: the measured one and those up to three before.
            measured: The turn.
            outcomes: Rows of `tables.outcomes` for the turn's window.

        Returns:
            What the turn said: customers, slope, slope_sd, shifted.
        """
        own = evidence(decisions[measured], outcomes)
        self.values["learned_turn"] = float(measured)
        if len(own.outcome) == 0 or not arms:
            return {"customers": 0}
        had_data = bool(self.belief.precision.any())
        lesson = learn(self.belief, arms, own, suspicion=self.values.get(_SUSPICION, 0.0))
        self.belief = lesson.belief
        self.values[_SUSPICION] = lesson.suspicion
        if had_data:
            self.values[f"slope.{measured:03d}"] = lesson.slope
            self.weights[f"slope.{measured:03d}"] = lesson.slope_sd**-2
        self._learn_carry_over(arms, decisions, measured, outcomes)
        return {
            "customers": len(own.outcome),
            "slope": round(lesson.slope, 4),
            "slope_sd": round(lesson.slope_sd, 4) if math.isfinite(lesson.slope_sd) else None,
            "shifted": lesson.shifted,
        }

    def _learn_carry_over(
        self,
        arms: Sequence[Arm],
        decisions: Mapping[int, Decided],
        measured: int,
        outcomes: pa.Table,
    ) -> None:
        per_arm = arm_coefficients(self.belief.terms, arms, self.belief.posterior()[0])
        for lag in LAGS:
            earlier = decisions.get(measured - lag)
            if earlier is None or not len(earlier.worth):
                continue
            past = without_contacts(
                earlier, evidence(earlier, outcomes), decisions[measured], per_arm
            )
            self.carry = learn_carry_over(
                self.carry,
                lag,
                contacted=past.contrast.sum(axis=1),
                predicted=predicted_effect(self.belief, arms, past),
                later=residuals(past),
            )

    def count_opt_outs(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Update the opt-out rates with one turn's contacts, rows of `tables.opt_outs`."""
        for row in rows:
            name = f"opt_out.{row['channel']}.{row['bucket']}"
            seen = self.weights.get(name, sum(_OPT_OUT_PRIOR))
            rate = self.values.get(name, _OPT_OUT_PRIOR[0] / sum(_OPT_OUT_PRIOR))
            total = seen + row["contacts"]
            self.values[name] = (rate * seen + row["opt_outs"]) / total
            self.weights[name] = total

    def tune(self, readouts: Sequence[Readout]) -> None:
        """Derive the parameters the next turn decides with.

        Args:
            readouts: Measured effects of the turns so far.
        """
        after_contact, after_effect = carried(self.carry)
        slopes = [
            (value, self.weights[name] ** -0.5)
            for name, value in sorted(self.values.items())
            if name.startswith("slope.") and self.weights.get(name, 0) > 0
        ]
        share, z = spend_share(slopes, readouts)
        self.values |= {
            "after_contact": after_contact,
            "after_effect": after_effect,
            "calibration": calibration(slopes[-_RECENT_SLOPES:]),
            "spend_share": share,
        }
        if not math.isnan(z):
            self.values["slope_z"] = z

    def said(self, arms: Sequence[Arm]) -> dict[str, float]:
        """Give all that may change: parameters, and the effect of each arm on a middle customer."""
        if not arms:
            return dict(self.values)
        middle = arm_coefficients(self.belief.terms, arms, self.belief.posterior()[0])[:, 0]
        named = {f"{EFFECT}{arm.name}": float(e) for arm, e in zip(arms, middle, strict=True)}
        return self.values | named


def changes(
    before: Mapping[str, float],
    after: Mapping[str, float],
    said: Mapping[int, Mapping[str, Any]],
    *,
    left_out: Set[int] | None = None,
) -> list[dict[str, Any]]:
    """List what changed, each with the evidence it rests on.

    Args:
        before: What `Knowledge.said` gave before learning.
        after: What it gives now.
        said: What each measured turn said.
        left_out: Turns left out when all was learned anew; None when only new turns were added.

    Returns:
        Rows of table `adjustments`, by subject.

    Example:
        >>> [row["subject"] for row in changes({"spend_share": 1.0}, {"spend_share": 0.5}, {})]
        ['spend_share']
    """
    told: dict[str, Any] = {"measured_turns": said}
    if left_out is not None:
        told |= {"is_anew": True, "left_out": sorted(left_out)}
    evidence_text = json.dumps(told, sort_keys=True)
    return [
        {
            "subject": name,
            "before": before.get(name),
            "after": after[name],
            "evidence": evidence_text,
        }
        for name in sorted(after)
        if before.get(name) != after[name] and not name.startswith(_NOT_CHANGES)
    ]
