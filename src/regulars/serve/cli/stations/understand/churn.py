"""`regulars understand churn`: who may not come back, and how well that was told before."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from regulars.serve.cli.stations.understand.turns import AsJson, Folder, OfTurn, rows_of_turn


def churn(
    *,
    folder: Folder = Path(),
    turn: OfTurn = 0,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Back-test: tell churn as of this earlier day."),
    ] = None,
    weeks: Annotated[int, typer.Option(min=1, help="Churn is no order in so many weeks.")] = 13,
    as_json: AsJson = False,
) -> None:
    """Show how many customers may not come back, and how well that was told before.

    Without --as-of it shows the scores of a turn; with it, what the model would have said on
    that day beside what came.
    """
    said = _backtest(folder, as_of, weeks) if as_of else _scores(folder, turn)
    if as_json:
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    for name, value in said.items():
        typer.echo(f"{name}: {_short(value)}")


def _scores(folder: Path, turn: int) -> dict[str, Any]:
    number, found = rows_of_turn(folder, turn, "churn_scores", "churn_models")
    at_risk = [row for row in found["churn_scores"] if row["is_at_risk"]]
    said = [row["churn_probability"] for row in at_risk if row["churn_probability"] is not None]
    judged: dict[str, dict[str, float]] = {}
    for row in found["churn_models"]:
        judged.setdefault(row["model"], {})[row["figure"]] = row["value"]
    return {
        "turn": number,
        "customers": len(found["churn_scores"]),
        "at_risk": len(at_risk),
        "expected_to_churn": round(sum(said), 1) if said else None,
        "above_half": sum(value > 0.5 for value in said),
        "judged_on_the_weeks_before": judged,
    }


def _backtest(folder: Path, as_of: datetime, weeks: int) -> dict[str, Any]:
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import
    from regulars.understand.churn.service import backtest  # noqa: PLC0415

    found = backtest(open_app(folder).engine, as_of=as_of.date(), horizon_weeks=weeks)
    return {"as_of": as_of.date().isoformat(), **asdict(found)}


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_short(part)}" for key, part in value.items()) or "not yet"
    if isinstance(value, list | tuple):
        return " ".join(_short(part) for part in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
