"""An experiment's plan as a file: what was settled before the first customer came."""

from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from regulars.errors import InputError
from regulars.measure.experiments.metrics import Metric
from regulars.measure.experiments.multiplicity import Correction
from regulars.measure.experiments.readout import Inference, Plan, Progress


def read_plan(path: Path) -> tuple[Plan, Progress]:
    """Read a plan from TOML or JSON.

    Args:
        path: The file: tables `design` (share by variant, control first) and `metrics` (an array
            of tables), any field of `Plan` beside them, and a table `progress`.

    Returns:
        The plan, and how far the experiment has come.

    Raises:
        InputError: The file cannot be read, or names something there is not.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "plan.toml")
        ...     _ = file.write_text('''
        ... inference = "once"
        ... design = {a = 0.5, b = 0.5}
        ... metrics = [{name = "spend", value = "spend"}]
        ... ''')
        ...     read_plan(file)[0].inference.value
        'once'
    """
    decode = msgspec.json.decode if path.suffix == ".json" else msgspec.toml.decode
    try:
        given = decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}; give a TOML or JSON plan") from error
    progress = _build(Progress, given.pop("progress", {}), f"{path}: progress")
    metrics = [
        _build(Metric, one, f"{path}: metrics[{place}]")
        for place, one in enumerate(given.pop("metrics", []))
    ]
    chosen: dict[str, type[StrEnum]] = {"inference": Inference, "correction": Correction}
    for name, words in chosen.items():
        if name in given and given[name] not in list(words):
            known = ", ".join(str(word) for word in words)
            raise InputError(f"{path}: {name} is {given[name]!r}, must be one of {known}")
        given |= {name: words(given[name])} if name in given else {}
    return _build(Plan, {"design": {}} | given | {"metrics": metrics}, str(path)), progress


def _build(kind: type, given: Any, where: str) -> Any:
    known = [part.name for part in fields(kind)]
    strange = sorted(set(given) - set(known))
    if strange:
        raise InputError(f"{where}: unknown name {strange[0]!r}; known: {', '.join(known)}")
    try:
        return kind(**given)
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where}: {error}; see the reference of experiments") from error
