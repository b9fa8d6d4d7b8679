"""Plans as TOML files: read with the place of every fault, written so that a person can edit."""

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from regulars.collect.quality.plan.json_schema import plan_of_schema
from regulars.collect.quality.plan.model import Plan, check_plan
from regulars.errors import InputError, NotReady

FOLDER = "plan"


def read_plan(place: Path) -> Plan:
    """Read a plan from a file, or from all files of a folder together.

    Args:
        place: A `.toml` file of the plan, a `.json` file with JSON Schema, or a folder of them.

    Returns:
        The plan.

    Raises:
        NotReady: There is no such file or folder, or it holds no plan.
        InputError: A file cannot be read, or breaks a rule; names file, event and property.
    """
    found = sorted(place.glob("*.toml")) if place.is_dir() else [place]
    if place.is_dir():
        found += sorted(place.glob("*.json"))
    if not found or not found[0].is_file():
        raise NotReady(
            f"{place} holds no tracking plan; "
            "run: regulars collect plan adopt --starting  for one to start from"
        )
    plan = Plan()
    for path in found:
        text = path.read_bytes()
        part = _of_json(text, path) if path.suffix == ".json" else _of_toml(text, path)
        twice = sorted(set(plan.event) & set(part.event)) + sorted(
            set(plan.source) & set(part.source)
        )
        if twice:
            raise InputError(f"{path}: {twice[0]!r} is declared in another file too; keep one")
        plan = Plan(plan.event | part.event, plan.source | part.source)
    return check_plan(plan, str(place))


@cache
def starting_plan() -> Plan:
    """Give the plan that comes with the package: online, in the store and in private domains.

    Returns:
        The plan; names of Segment's e-commerce specification, version 2, where it has them.
    """
    plan = Plan()
    for name, text in sorted(starting_files().items()):
        plan = Plan(plan.event | _of_toml(text, Path(name)).event)
    return check_plan(plan, "the packaged plan")


def starting_files() -> dict[str, bytes]:
    """Give the files of the packaged plan by name."""
    folder = files(__package__).joinpath("starting")
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name.endswith(".toml")}


def written_plan(plan: Plan) -> str:
    """Write a plan as TOML.

    Returns:
        One table per event and property; what has its default is left out.

    Example:
        >>> from regulars.collect.quality.plan.model import EventRule
        >>> print(written_plan(Plan({"Tried": EventRule("tried it on", "trial")})))
        [event.Tried]
        means = "tried it on"
        family = "trial"
        <BLANKLINE>
    """
    return tomli_w.dumps(msgspec.to_builtins(plan))


def plan_of_text(text: str) -> Plan:
    """Read a plan back from the text it is kept as."""
    return msgspec.json.decode(text, type=Plan)


def text_of_plan(plan: Plan) -> str:
    """Give the text a plan is kept as: the same plan always gives the same text."""
    return msgspec.json.encode(plan, order="deterministic").decode()


def _of_toml(text: bytes, path: Path) -> Plan:
    try:
        return _convert(tomllib.loads(text.decode("utf-8")), path)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not readable TOML: {error}; mend the line it names") from error


def _of_json(text: bytes, path: Path) -> Plan:
    try:
        return plan_of_schema(msgspec.json.decode(text))
    except msgspec.DecodeError as error:
        raise InputError(f"{path} is not readable JSON: {error}") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _convert(given: dict[str, Any], path: Path) -> Plan:
    try:
        return msgspec.convert(given, Plan)
    except msgspec.ValidationError as error:
        raise InputError(
            f"{path}: {error}; docs/how-to/tracking-plan.md shows what a plan may say"
        ) from error
