"""`regulars demo`: watch the whole loop turn, on a real grocer's data and in the twin."""

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def demo(
    *,
    folder: Annotated[Path, typer.Option("--dir", help="Folder of the demo.")] = Path("demo"),
    turns: Annotated[int, typer.Option(min=1, help="Weekly turns in the twin.")] = 12,
    customers: Annotated[int, typer.Option(min=100, help="Customers of the twin.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Root of every random draw.")] = 7,
    world: Annotated[str, typer.Option(help="normal, null, hostile, shift or outage.")] = "normal",
    skin: Annotated[str, typer.Option(help="zh or us: names, places and money.")] = "zh",
    skip_real: Annotated[bool, typer.Option(help="Leave the real grocer's part out.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Threads and senders.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Turn the whole loop on real data and in a simulated retailer, and write a report.

    A demo that was killed continues when it is called again with the same arguments.
    """
    from regulars.rehearse.demo import DemoPlan, run_demo  # noqa: PLC0415 - heavy
    from regulars.serve.cli.progress import stages  # noqa: PLC0415

    plan = DemoPlan(turns, customers, seed, world, skin, skip_real)
    with stages(quiet=as_json) as told:
        report = run_demo(folder, plan, workers=workers, progress=told)
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False, sort_keys=True))
        return
    typer.echo(f"Report: {folder / 'report.html'} (and report.json beside it)")
    typer.echo(f"Console: regulars serve --dir {folder}")
