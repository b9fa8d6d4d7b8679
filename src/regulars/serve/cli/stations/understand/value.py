"""`regulars understand value`: what customers are worth, by tier, and the models behind it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from regulars.serve.cli.stations.understand.turns import AsJson, Folder, OfTurn, rows_of_turn


def value(
    *,
    folder: Folder = Path(),
    turn: OfTurn = 0,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Back-test: value as of this earlier day."),
    ] = None,
    weeks: Annotated[int, typer.Option(min=1, help="Weeks ahead of a back-test.")] = 13,
    as_json: AsJson = False,
) -> None:
    """Show what customers are worth, by cell of the value x activity grid, and the models used.

    Without --as-of it shows the values of a turn; with it, what would have been expected on
    that day beside what came.
    """
    said = _backtest(folder, as_of, weeks) if as_of else _values(folder, turn)
    if as_json:
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    for name, part in said.items():
        if isinstance(part, list):
            for row in part:
                typer.echo(f"{name}: " + ", ".join(f"{key} {each}" for key, each in row.items()))
        else:
            typer.echo(f"{name}: {part}")


def _values(folder: Path, turn: int) -> dict[str, Any]:
    number, found = rows_of_turn(folder, turn, "customer_values", "value_models")
    cells: dict[str, dict[str, Any]] = {}
    for row in found["customer_values"]:
        empty = {"cell": row["grid_cell"], "customers": 0, "residual_value": 0.0}
        cell = cells.setdefault(row["grid_cell"], empty)
        cell["customers"] += 1
        cell["residual_value"] += row["residual_value"]
    rows = [
        cells[name] | {"residual_value": round(cells[name]["residual_value"], 2)}
        for name in sorted(cells)
    ]
    return {
        "turn": number,
        "customers": len(found["customer_values"]),
        "residual_value": round(sum(row["residual_value"] for row in rows), 2),
        "cells": rows,
        "models": [
            {"model": row["model"], "parameter": row["parameter"], "value": row["value"]}
            for row in found["value_models"]
        ],
    }


def _backtest(folder: Path, as_of: datetime, weeks: int) -> dict[str, Any]:
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import
    from regulars.understand.value.service import backtest  # noqa: PLC0415

    found = backtest(open_app(folder).engine, as_of=as_of.date(), horizon_weeks=weeks)
    return {"as_of": as_of.date().isoformat(), **found.to_report()}
