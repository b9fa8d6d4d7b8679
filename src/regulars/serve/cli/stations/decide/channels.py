"""`regulars decide channels`: what each channel can do, and what people say instead."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

app = typer.Typer()

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Channel = Annotated[str, typer.Argument(help="The channel.")]
Stage = Annotated[
    str, typer.Argument(help="new, active, cooling, sleeping, unknown, or * for all.")
]
Measure = Annotated[str, typer.Argument(help="reach, engage, convert or cost.")]


@app.command("channels")
def channels(
    *,
    customer: Annotated[str, typer.Option(help="One customer instead of all.")] = "",
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show what each channel can do in each stage, or for one customer."""
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import
    from regulars.decide.channels.service import for_customer, matrix  # noqa: PLC0415

    shop, now = open_app(folder), datetime.now(UTC)
    days = shop.settings.loop.window_days
    found = (
        for_customer(shop.engine, shop.state, customer, window_days=days, now=now)
        if customer
        else matrix(shop.engine, shop.state, window_days=days, now=now)
    )
    if as_json:
        typer.echo(json.dumps({"channels": [asdict(one) for one in found]}, ensure_ascii=False))
        return
    for one in found:
        rates = (
            f"{name} {rate.value:.3f} [{rate.low:.3f}, {rate.high:.3f}]{' *' if rate.why else ''}"
            for name, rate in one.rates.items()
        )
        typer.echo(f"{one.channel:<12}{one.stage:<10}{one.sent:>8,} sent  " + "  ".join(rates))


@app.command("override-channel")
def override_channel(
    channel: Channel,
    stage: Stage,
    measure: Measure,
    value: Annotated[float, typer.Argument(help="A share from 0 to 1; money for cost.")],
    *,
    why: Annotated[str, typer.Option(help="The reason.")],
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day.")] = None,
    folder: Folder = Path(),
) -> None:
    """Say what a channel can do, instead of what was learned."""
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import
    from regulars.decide.channels.service import Override, override  # noqa: PLC0415

    shop = open_app(folder)
    end = until and datetime.combine(until, time.max, ZoneInfo(shop.settings.retailer.zone))
    said = Override(channel, stage, measure, value, why, "cli", None)
    override(shop.state, said, channels=shop.settings.channels, now=datetime.now(UTC), until=end)
    typer.echo(f"{channel} {stage} {measure} is {value:g} now")


@app.command("restore-channel")
def restore_channel(
    channel: Channel, stage: Stage, measure: Measure, *, folder: Folder = Path()
) -> None:
    """Go back to what was learned."""
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import
    from regulars.decide.channels.service import restore  # noqa: PLC0415

    state = open_app(folder).state
    is_gone = restore(state, channel, stage, measure, actor="cli", now=datetime.now(UTC))
    typer.echo("back to what was learned" if is_gone else "nothing was overridden")
