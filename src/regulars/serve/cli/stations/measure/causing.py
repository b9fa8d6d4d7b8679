"""`regulars measure`: effects of campaigns, and experiments of any table."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regulars.serve.cli.files import open_table

if TYPE_CHECKING:
    from regulars.measure.experiments import Readout

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


@app.command("experiments")
def experiments(
    customers: Annotated[
        Path | None,
        typer.Argument(
            help="CSV or Parquet file: one row per customer, with `variant`; left out: list those "
            "of the workspace."
        ),
    ] = None,
    *,
    plan: Annotated[
        Path | None, typer.Option(help="TOML or JSON file with design and metrics.")
    ] = None,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Read an experiment of a file, or say why it must not be read; or list the workspace's."""
    if customers is None:
        _list_experiments(folder, as_json=as_json)
        return
    from regulars.errors import InputError  # noqa: PLC0415
    from regulars.measure.experiments import read_out  # noqa: PLC0415 - slow to import
    from regulars.measure.experiments.plan_file import read_plan  # noqa: PLC0415

    if plan is None:
        raise InputError(f"{customers} was given without a plan; name its file with --plan")
    settled, progress = read_plan(plan)
    readout = read_out(open_table(customers), settled, progress)
    if as_json:
        typer.echo(json.dumps(_plain(readout), ensure_ascii=False))
    else:
        _print(readout)


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


def _list_experiments(folder: Path, *, as_json: bool) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import
    from regulars.measure.running import comparisons  # noqa: PLC0415 - slow to import

    app = open_app(folder)
    today = datetime.now(UTC).astimezone(ZoneInfo(app.settings.retailer.zone)).date()
    found = comparisons(app.engine, today=today)
    if as_json:
        told = [asdict(one) for one in found]
        typer.echo(json.dumps({"experiments": told}, ensure_ascii=False, default=str))
        return
    if not found:
        typer.echo("no experiment yet; run: regulars run, twice or more")
    for one in found:
        arms = ", ".join(f"{arm.customers:,} {arm.name}" for arm in one.arms)
        margin = one.margin
        said = f"not shown ({one.gate})"
        if margin and margin.estimate is not None:
            said = f"margin {margin.estimate:+.2f} [{margin.low:.2f}, {margin.high:.2f}]"
        typer.echo(f"{one.kind} {one.name}: {one.state}, {arms}; {said}")


def _plain(readout: "Readout") -> dict[str, Any]:
    return {"is_refused": readout.is_refused} | asdict(readout)


def _print(readout: "Readout") -> None:
    for variant, number in readout.counts.items():
        typer.echo(f"{variant:<24}{number:>12,} customers")
    for refusal in readout.refusals:
        typer.echo(f"not shown ({refusal.gate}): {refusal.says}")
    for one in readout.findings:
        claim = "differs" if one.is_claim else "not told from no difference"
        typer.echo(
            f"{one.metric}, {one.variant}: {one.effect:+.6g} [{one.low:.6g}, {one.high:.6g}], "
            f"adjusted p {one.adjusted_p_value:.4g}: {claim}"
        )
