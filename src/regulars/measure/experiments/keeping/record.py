"""Records of kept experiments: where one stands, what was decided, who changed it."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any

import msgspec

from regulars.measure.experiments.gates.checks import Gate, Refusal
from regulars.measure.experiments.keeping.definition import Definition, definition_of
from regulars.measure.experiments.keeping.planning import PowerPlan
from regulars.measure.experiments.readout import Finding


class Stand(StrEnum):
    """How far an experiment has come."""

    DRAFT = "draft"
    RUNNING = "running"
    STOPPED = "stopped"
    CONCLUDED = "concluded"


class Decision(StrEnum):
    """What follows from an experiment."""

    ADOPT = "adopt"
    KEEP = "keep"
    NOTHING_LEARNED = "nothing_learned"


@dataclass(frozen=True)
class Conclusion:
    """What was decided at the end of an experiment, and on what it rests.

    Attributes:
        experiment_id: The experiment it cites.
        name: What people call it.
        hypothesis: What was expected.
        decision: adopt a variant, keep control, or nothing learned.
        variant: The variant adopted; control where it is kept; "" where nothing was learned.
        says: What was learned, in a person's words.
        is_claim: True when the primary metric is told from that of control: for an adopted variant
            as better, else of any variant either way.
        counts: Customers by variant.
        findings: What the readout said; empty where a gate was closed.
        refusals: Why it said nothing; empty where it did.
        actor: Who decided.
        at: When, ISO 8601.
        anyway: Why a variant was adopted that was not told from control; "" otherwise.
    """

    experiment_id: str
    name: str
    hypothesis: str
    decision: Decision
    variant: str
    says: str
    is_claim: bool
    counts: Mapping[str, int]
    findings: tuple[Finding, ...]
    refusals: tuple[Refusal, ...]
    actor: str
    at: str
    anyway: str = ""


@dataclass(frozen=True)
class Kept:
    """One experiment as it stands.

    Attributes:
        definition: What was settled.
        stand: How far it has come.
        first: Start of its slice of the layer; 0 before it started.
        last: End of it.
        plan: Customers and days it was found to need when it started; None before.
        started_at: When it started, ISO 8601; "" before.
        stopped_at: When it took its last customer; "" before.
        conclusion: What was decided; None before.
        edited_by: Who wrote the draft last.
        edited_at: When.
    """

    definition: Definition
    stand: Stand
    first: float
    last: float
    plan: PowerPlan | None
    started_at: str
    stopped_at: str
    conclusion: Conclusion | None
    edited_by: str
    edited_at: str


@dataclass(frozen=True)
class Change:
    """One change of an experiment.

    Attributes:
        verb: put, start, look, stop or conclude.
        actor: Who.
        reason: Why; "" where none was asked for.
        at: When, ISO 8601.
    """

    verb: str
    actor: str
    reason: str
    at: str


@dataclass(frozen=True)
class Look:
    """What was read at one planned look.

    Attributes:
        number: 1 for the first.
        share: Share of the planned customers that had come.
        findings: What it said.
        counts: Customers by variant then.
        at: When, ISO 8601.
    """

    number: int
    share: float
    findings: tuple[Finding, ...]
    counts: Mapping[str, int]
    at: str


def kept_of(row: Mapping[str, Any]) -> Kept:
    """Read a row of table `experiments`."""
    plan, ended = row["power_plan"], row["conclusion"]
    return Kept(
        definition_of(json.loads(row["definition"])),
        Stand(row["state"]),
        row["first_place"],
        row["last_place"],
        PowerPlan(**json.loads(plan)) if plan else None,
        row["started_at"],
        row["stopped_at"],
        conclusion_of(json.loads(ended)) if ended else None,
        row["edited_by"],
        row["edited_at"],
    )


def conclusion_of(given: Mapping[str, Any]) -> Conclusion:
    """Read a conclusion from plain parts."""
    return Conclusion(**{
        **given,
        "decision": Decision(given["decision"]),
        "findings": tuple(Finding(**one) for one in given["findings"]),
        "refusals": tuple(Refusal(Gate(one["gate"]), one["says"]) for one in given["refusals"]),
    })


def look_of(row: Mapping[str, Any]) -> Look:
    """Read a row of table `experiment_looks`."""
    said = json.loads(row["readout"])
    findings = tuple(Finding(**one) for one in said["findings"])
    return Look(row["number"], row["share"], findings, said["counts"], row["at"])


def plain(value: Any) -> Any:
    """Give records as plain parts that any JSON can hold.

    Args:
        value: A record, or parts of one.

    Returns:
        Mappings, lists and values; None where a number cannot be told.

    Example:
        >>> plain([float("nan"), Stand.DRAFT, ("a",)])
        [None, 'draft', ['a']]
    """
    if is_dataclass(value) and not isinstance(value, type):
        return plain({part.name: getattr(value, part.name) for part in fields(value)})
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value)
    if isinstance(value, StrEnum):
        return value.value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_text(record: Any) -> str:
    """Write a record as JSON, the same text for the same record."""
    return json.dumps(asdict(record), ensure_ascii=False, sort_keys=True)
