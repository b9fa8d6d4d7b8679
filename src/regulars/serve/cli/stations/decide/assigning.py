"""`regulars decide assign`: the best offer for each customer within budget, stock and capacity."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regulars.serve.cli.files import limits_of, open_table, save_table

if TYPE_CHECKING:
    from regulars.decide.budget.assigning.table import AssignedRows

app = typer.Typer()


@app.command("assign")
def assign(
    values: Annotated[
        Path,
        typer.Argument(
            help="CSV or Parquet file: customer_id, offer_id, value, cost and perhaps channel; "
            "one row per customer and open action."
        ),
    ],
    *,
    budget: Annotated[
        float, typer.Option(min=0, help="Most that may be spent; no limit by default.")
    ] = float("inf"),
    stock: Annotated[list[str] | None, typer.Option(help="OFFER=CONTACTS, once per offer.")] = None,
    capacity: Annotated[
        list[str] | None, typer.Option(help="CHANNEL=CONTACTS, once per channel.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="CSV or Parquet file for the rows; else they are printed.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Assign at most one offer to each customer of a file so that all are worth most together.

    Needs no workspace. Says the shadow price of money, stock and channels, and how far at most
    the assignment is from the best possible.
    """
    from regulars.decide.budget import assign_table  # noqa: PLC0415 - slow to import

    found = assign_table(
        open_table(values),
        budget=None if budget == float("inf") else budget,
        stock=limits_of(stock or [], "--stock"),
        capacity=limits_of(capacity or [], "--capacity"),
    )
    if out:
        save_table(found.rows, out)
    said = _said(found)
    if as_json:
        rows = {} if out else {"assignments": found.rows.to_pylist()}
        typer.echo(json.dumps(said | rows, ensure_ascii=False))
        return
    for name, value in said.items():
        typer.echo(f"{name}: {value}")
    for row in [] if out else found.rows.to_pylist():
        typer.echo(f"{row['customer_id']}: {row['offer_id']} {row['channel']} {row['value']:g}")


def _said(found: "AssignedRows") -> dict[str, Any]:
    summary = found.summary
    return {
        "customers": found.customers,
        "assigned": found.rows.num_rows,
        "value": summary.value,
        "spend": summary.spend,
        "bound": summary.bound,
        "gap": summary.gap,
        "shadow_price": summary.shadow_price,
        "stock_prices": {str(k): v for k, v in summary.stock_prices.items()},
        "capacity_prices": {str(k): v for k, v in summary.capacity_prices.items()},
    }
