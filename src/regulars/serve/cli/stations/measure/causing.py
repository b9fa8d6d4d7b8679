"""`regulars measure`: effects of campaigns, how large an experiment must be, the long term."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from regulars.serve.cli.files import open_table

app = typer.Typer()

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command("effects")
def effects(
    *,
    turn: Annotated[
        int, typer.Option(min=0, help="Turn that measured; the last one by default.")
    ] = 0,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show what contacts caused: campaigns of turns, written ones and journeys, the programme."""
    from ibis import _  # noqa: PLC0415 - slow to import

    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import
    from regulars.errors import NotReady  # noqa: PLC0415

    engine = open_app(folder).engine
    names = ("effects", "programme_effects", "campaign_effects")
    tables = {name: engine.table(name) for name in names}
    newest = [engine.rows(table.agg(turn=_.turn.max()))[0]["turn"] for table in tables.values()]
    wanted = turn or max((one for one in newest if one is not None), default=None)
    if wanted is None:
        raise NotReady("no turn has measured anything yet; run: regulars run, twice or more")
    found = {name: engine.rows(table.filter(_.turn == wanted)) for name, table in tables.items()}
    if as_json:
        typer.echo(json.dumps({"turn": wanted, **found}, ensure_ascii=False, default=str))
        return
    typer.echo(f"measured in turn {wanted}")
    for name, rows in found.items():
        for row in rows:
            typer.echo(f"{name}: " + ", ".join(f"{key} {value}" for key, value in row.items()))


@app.command("power")
def power(
    *,
    effect: Annotated[float, typer.Option(help="Smallest effect worth finding.")],
    variance: Annotated[
        float, typer.Option(help="Variance of the metric per customer; p(1 - p) for a share p.")
    ],
    share: Annotated[float, typer.Option(help="Share of customers that is treated.")] = 0.5,
    level: Annotated[float, typer.Option(help="Coverage of the interval.")] = 0.95,
    chance: Annotated[
        float, typer.Option("--power", help="Probability of finding the effect.")
    ] = 0.8,
    explained: Annotated[
        float, typer.Option(help="Squared correlation with the past, taken out by CUPED.")
    ] = 0.0,
    looks: Annotated[int, typer.Option(min=1, max=100, help="Planned looks.")] = 1,
    per_day: Annotated[float, typer.Option(help="Customers that enter per day.")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Say how many customers an experiment needs, and how many days that takes."""
    from regulars.measure.experiments import size_experiment  # noqa: PLC0415 - slow to import

    found = size_experiment(
        effect,
        variance,
        share=share,
        level=level,
        power=chance,
        explained=explained,
        looks=looks,
        per_day=per_day or None,
    )
    if as_json:
        typer.echo(json.dumps(asdict(found) | {"customers": found.customers}))
        return
    typer.echo(f"{found.treated:,} treated and {found.control:,} held out")
    if found.days is not None:
        typer.echo(f"{found.days} days")


@app.command("long-term")
def long_term(
    customers: Annotated[
        Path,
        typer.Argument(
            help="CSV or Parquet file: one row per customer with variant, during, near, late, and "
            "x, t_x, T, mean_spend as of the end of the late weeks."
        ),
    ],
    *,
    treated: Annotated[str, typer.Option(help="The variant that got the promotion.")] = "treated",
    control: Annotated[str, typer.Option(help="The variant that did not.")] = "control",
    horizon: Annotated[
        float, typer.Option(min=0, help="Weeks not seen yet, in the unit of t_x and T.")
    ] = 40.0,
    margin_rate: Annotated[float, typer.Option(min=0, max=1, help="Margin over spend.")] = 1.0,
    cost: Annotated[float, typer.Option(min=0, help="Other cost per treated customer.")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Tell what a promotion is worth once stocks are used up and customers have stayed or left."""
    from regulars.measure.long_term.reading import read_promotion  # noqa: PLC0415 - slow to import

    found = read_promotion(
        open_table(customers),
        variants=(control, treated),
        horizon=horizon,
        margin_rate=margin_rate,
        cost=cost,
    )
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    typer.echo(f"{found.treated:,} treated customers; money per treated customer")
    for name in ("during", "pulled_forward", "late", "beyond", "total", "churn_shift"):
        part = getattr(found, name)
        typer.echo(f"{name:<16}{part.value:+.4g} [{part.low:.4g}, {part.high:.4g}]")
    typer.echo(f"above zero with probability {found.p_above_zero:.2f}")
