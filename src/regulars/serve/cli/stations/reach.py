"""`regulars reach`: the emergency stop, and what became of everybody in a turn."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from regulars.app import App

ACTOR = "command line"

app = typer.Typer(no_args_is_help=True, help="The emergency stop and the send ledger.")

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command("stop")
def stop_all(
    *,
    reason: Annotated[str, typer.Option(help="Why; shown until somebody resumes.")],
    folder: Folder = Path(),
) -> None:
    """Stop every contact at once, in running turns too."""
    from regulars.govern.policy.service import stop  # noqa: PLC0415

    shop = _open(folder)
    stop(shop.state, reason, actor=ACTOR, at=datetime.now(UTC))
    _anchor(shop)
    typer.echo("contacts are stopped; to go on run: regulars reach resume")


@app.command("resume")
def resume_all(*, folder: Folder = Path()) -> None:
    """Let contacts go out again."""
    from regulars.govern.policy.service import resume  # noqa: PLC0415

    shop = _open(folder)
    was_stopped = resume(shop.state, actor=ACTOR, at=datetime.now(UTC))
    _anchor(shop)
    typer.echo("contacts may go out again" if was_stopped else "contacts were not stopped")


@app.command("ledger")
def ledger(
    *,
    turn: Annotated[int, typer.Option(min=1, help="Number of the turn.")],
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show how everybody in a turn ended, and list every contact nobody confirmed."""
    from regulars.govern.policy import Fate  # noqa: PLC0415
    from regulars.govern.policy.service import stopped  # noqa: PLC0415
    from regulars.reach.delivery.service import account, contacts_with_fate  # noqa: PLC0415

    state = _open(folder).state
    tally, why = account(state, turn), stopped(state)
    unknown = contacts_with_fate(state, turn, Fate.UNKNOWN)
    if as_json:
        found = {
            "turn": turn,
            "eligible": tally.eligible,
            "fates": tally.count_by_fate,
            "reasons": tally.reasons_by_fate,
            "unknown": unknown,
            "stopped": why,
        }
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    typer.echo(f"eligible {tally.eligible:>12,}")
    for fate, customers in tally.count_by_fate.items():
        typer.echo(f"{fate.value:<9}{customers:>12,}")
        for reason, count in tally.reasons_by_fate[fate].items():
            typer.echo(f"  {count:>19,}  {reason}")
    for contact in unknown:
        typer.echo(f"unknown: {contact['customer_id']} by {contact['channel']}, {contact['key']}")
    if why:
        typer.echo(f"contacts are stopped: {why}")


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import

    return open_app(folder)


def _anchor(shop: "App") -> None:
    from regulars.govern.audit.service import anchor  # noqa: PLC0415

    anchor(shop.state, folder=shop.folder, at=datetime.now(UTC))
