"""An experiment as people write it: who gets what, what is counted, when it may be read."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import msgspec

from regulars.decide.assignment import Combination, factor_grid
from regulars.decide.assignment import Experiment as Assignment
from regulars.decide.assignment.dealing.giving import Variant
from regulars.errors import InputError
from regulars.measure.experiments.inference.group_sequential import bounds
from regulars.measure.experiments.keeping.catalogue import metric_named
from regulars.measure.experiments.power import MOST_LOOKS
from regulars.measure.experiments.readout import Inference

NAME = r"[a-z0-9][a-z0-9_.-]{0,63}"
"""What an id looks like: it stands in addresses, commands and file names."""
MOST_VARIANTS = 24
RESERVED = "variant"
RESERVED_IDS = frozenset({"new", "plan", "written"})


@dataclass(frozen=True)
class Definition:
    """All that is settled before the first customer comes.

    Attributes:
        id: Its name in commands and addresses: small letters, digits, `-`, `_`, `.`.
        name: What people call it.
        hypothesis: What is expected and why, in a sentence.
        variants: The treatments, control first.
        primary: The metric it is about.
        effect: Smallest change of that metric worth finding, in its own unit, above 0.
        guardrails: Metrics that must not get worse.
        unit: What is dealt out; only customer.
        layer: Experiments of one layer take different customers.
        traffic: Share of the layer's customers it takes, above 0 to 1.
        inference: When its effect may be looked at.
        days: Days it runs; for ONCE the day it may be read.
        looks: Looks planned over these days, for PLANNED_LOOKS.
        level: Coverage of every interval, in (0, 1).
        power: Probability of finding `effect`, in (0, 1).
        salt: Names the draw; the id by default. The same salt deals out the same customers.
    """

    id: str
    name: str
    hypothesis: str
    variants: tuple[Variant, ...]
    primary: str
    effect: float
    guardrails: tuple[str, ...] = ()
    unit: str = "customer"
    layer: str = "default"
    traffic: float = 1.0
    inference: Inference = Inference.ANY_TIME
    days: int = 28
    looks: int = 1
    level: float = 0.95
    power: float = 0.8
    salt: str = field(default="")

    def __post_init__(self) -> None:
        """Refuse what could not be run or not be read.

        Raises:
            InputError: A part is missing or out of its range.
            UnknownName: A metric is not in the catalogue.
        """
        object.__setattr__(self, "salt", self.salt or self.id)
        _require_words(self)
        _require_numbers(self)
        for metric in (self.primary, *self.guardrails):
            metric_named(metric)
        if self.primary in self.guardrails or len(set(self.guardrails)) < len(self.guardrails):
            raise InputError(
                f"guardrails are {list(self.guardrails)}, must be different metrics and not the "
                f"primary one, {self.primary}; name each once"
            )
        self.assignment()

    @property
    def design(self) -> dict[str, float]:
        """Share of the experiment's customers by variant, control first."""
        return {one.name: one.share for one in self.variants}

    def variant(self, name: str) -> Variant:
        """Give a variant by its name."""
        return next(one for one in self.variants if one.name == name)

    def assignment(self, first: float = 0.0, last: float = 1.0) -> Assignment:
        """Give how customers are dealt out.

        Args:
            first: Start of its slice of the layer, 0 to 1.
            last: End of it.

        Returns:
            What `decide.assignment.assign` takes.
        """
        design = self.design
        return Assignment(self.salt, tuple(design), tuple(design.values()), self.layer, first, last)

    def told(self) -> dict[str, Any]:
        """Give it as plain parts, as a file would hold them."""
        return asdict(self) | {
            "inference": self.inference.value,
            "variants": [msgspec.to_builtins(one) for one in self.variants],
            "guardrails": list(self.guardrails),
        }


def definition_of(given: Mapping[str, Any], *, where: str = "experiment") -> Definition:
    """Read a definition from plain parts.

    Args:
        given: The fields of `Definition`. Instead of `variants` there may be `factors` (levels by
            factor, the level in use today first) and perhaps `most_variants`: variants are then
            made of them, with equal shares.
        where: What the parts come from, for messages.

    Returns:
        The definition.

    Raises:
        InputError: A part is missing, unknown or out of its range.

    Example:
        >>> found = definition_of({
        ...     "id": "greeting", "name": "Greeting", "hypothesis": "A short one is read more.",
        ...     "factors": {"subject": ["long", "short"], "picture": ["dish", "people"]},
        ...     "primary": "buyers", "effect": 0.02,
        ... })
        >>> [(one.name, one.share) for one in found.variants]
        [('long/dish', 0.25), ('long/people', 0.25), ('short/dish', 0.25), ('short/people', 0.25)]
    """
    parts = dict(given)
    levels, most = parts.pop("factors", None), parts.pop("most_variants", None)
    if (levels is None) == ("variants" not in parts):
        raise InputError(f"{where}: give either variants or factors, one of them")
    known = [part.name for part in fields(Definition)]
    strange = sorted(set(parts) - set(known))
    if strange:
        listed = ", ".join([*known, "factors", "most_variants"])
        raise InputError(f"{where}: unknown name {strange[0]!r}; known: {listed}")
    try:
        if levels is not None:
            grid = factor_grid(
                msgspec.convert(levels, dict[str, list[str]]),
                most=MOST_VARIANTS if most is None else msgspec.convert(most, int),
            )
            parts["variants"] = [_made(one, len(grid)) for one in grid]
        return msgspec.convert(parts, Definition)
    except msgspec.ValidationError as error:
        raise InputError(f"{where}: {error}; see the how-to of experiments") from error


def read_definition(path: Path) -> Definition:
    """Read a definition from a TOML or JSON file.

    Args:
        path: The file; see `definition_of`.

    Returns:
        The definition.

    Raises:
        InputError: It cannot be read, or says something that cannot be.
    """
    decode = msgspec.json.decode if path.suffix == ".json" else msgspec.toml.decode
    try:
        given = decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}; give a TOML or JSON file") from error
    if not isinstance(given, dict):
        raise InputError(f"{path} holds no fields; write id, name, hypothesis and so on")
    return definition_of(given, where=str(path))


def _made(combination: Combination, of: int) -> dict[str, Any]:
    return {"name": "/".join(combination.values()), "share": 1 / of, "values": combination}


def _require_words(one: Definition) -> None:
    if not re.fullmatch(NAME, one.id):
        raise InputError(
            f"id is {one.id!r}; give small letters, digits, '-', '_' or '.', 64 at most"
        )
    if one.id in RESERVED_IDS:
        raise InputError(f"id {one.id!r} is an address of its own; take another one")
    for part, most in (("name", 100), ("hypothesis", 500), ("layer", 64), ("salt", 100)):
        text = getattr(one, part)
        if not 0 < len(text.strip()) <= most:
            raise InputError(
                f"{part} of {one.id} has {len(text)} characters, must have 1 to {most}"
            )
    if one.unit != "customer":
        raise InputError(
            f"unit is {one.unit!r}; only customer is dealt out here: for stores use a switchback"
        )
    if len(one.variants) > MOST_VARIANTS:
        raise InputError(f"{len(one.variants)} variants, at most {MOST_VARIANTS}; drop levels")
    for variant in one.variants:
        if not 0 < len(variant.name.strip()) <= 100:
            raise InputError("a variant has no name, or one of more than 100 characters")
        if RESERVED in variant.values:
            raise InputError(f"a value may not be called {RESERVED!r}; give it another name")


def _require_numbers(one: Definition) -> None:
    if not 0 < one.effect < float("inf"):
        raise InputError(
            f"effect is {one.effect}, must be above 0: the smallest change worth finding"
        )
    if not 0 < one.traffic <= 1:
        raise InputError(f"traffic is {one.traffic}, must be above 0 and at most 1; give a share")
    if not (0 < one.level < 1 and 0 < one.power < 1):
        raise InputError(f"level is {one.level}, power {one.power}; both must be in (0, 1)")
    if not 1 <= one.days <= 366:
        raise InputError(f"days is {one.days}, must be 1 to 366")
    if not 1 <= one.looks <= MOST_LOOKS:
        raise InputError(f"looks is {one.looks}, must be 1 to {MOST_LOOKS}")
    if one.inference is Inference.PLANNED_LOOKS:
        # Bounds that cannot be worked out are refused before anybody takes part.
        bounds([look / one.looks for look in range(1, one.looks + 1)], alpha=1 - one.level)
