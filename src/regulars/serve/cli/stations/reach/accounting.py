"""`regulars reach ledger`, `explain`, `stuck` and `channels`: what became of whom, and by what."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regulars.errors import InputError
from regulars.serve.cli.exits import ExitCode
from regulars.serve.cli.stations.reach.opening import (
    AsJson,
    Folder,
    Moment,
    as_json,
    moment_of,
    open_shop,
)

if TYPE_CHECKING:
    from regulars.app import App


def ledger(
    *,
    turn: Annotated[int, typer.Option(min=0, help="Number of a turn; 0 for no turn.")] = 0,
    campaign: Annotated[str, typer.Option(help="Id of a campaign instead.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="Write one row per attempt to this Parquet file.")
    ] = None,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Show how everybody in a turn or campaign ended, and list every contact nobody confirmed.

    With --out, every attempt of all of them goes to a file: campaign, step, customer, channel,
    key, fate, reason, moments.
    """
    shop = open_shop(folder)
    if out is not None:
        _export(shop, out, print_json=print_json)
    elif campaign:
        _of_campaign(shop, campaign, print_json=print_json)
    elif turn:
        _of_turn(shop, turn, print_json=print_json)
    else:
        raise InputError("give --turn NUMBER, --campaign ID or --out FILE.parquet")


def explain(
    *,
    customer: Annotated[str, typer.Option(help="The customer's id.")],
    folder: Folder = Path(),
    language: Annotated[str, typer.Option("--lang", help="en or zh.")] = "en",
    print_json: AsJson = False,
) -> None:
    """Say why a customer got something, or did not."""
    from regulars.serve.sending.explaining import explain_in  # noqa: PLC0415

    found = explain_in(open_shop(folder), customer)
    if print_json:
        typer.echo(as_json(found))
        return
    for one in found.attempts:
        typer.echo(one.zh if language == "zh" else one.en)
    if not found.attempts:
        typer.echo(found.zh if language == "zh" else found.en)


def stuck(
    *,
    minutes: Annotated[
        int, typer.Option(min=0, help="How long something may stand still; 0 for the settings'.")
    ] = 0,
    folder: Folder = Path(),
    now: Moment = "",
    print_json: AsJson = False,
) -> None:
    """List what should have moved and has not: contacts that wait, fell silent or are in doubt.

    Ends with exit code 1 when there is something, so that a clock job can raise the alarm.
    """
    from regulars.reach.delivery.service import stuck as found_in  # noqa: PLC0415

    shop = open_shop(folder)
    patience = minutes or shop.settings.sending.stuck_minutes
    found = found_in(shop.state, now=moment_of(now, shop), minutes=patience)
    if print_json:
        typer.echo(as_json({"minutes": patience, "alerts": found}))
    elif not found:
        typer.echo(f"No contact has stood still for {patience} minutes.")
    for one in [] if print_json else found:
        typer.echo(
            f"{one.kind:<8} {one.channel:<12} {one.count:>10,} since {one.since.isoformat()}\n"
            f"{'':<9}-> {one.advice}"
        )
    if found:
        raise typer.Exit(ExitCode.FAILED_CHECK)


def channels(*, folder: Folder = Path(), print_json: AsJson = False) -> None:
    """List the channels: what carries them, what a contact costs, how they do."""
    from regulars.serve.sending.watching import channel_rows  # noqa: PLC0415

    rows = channel_rows(open_shop(folder))
    if print_json:
        typer.echo(as_json(rows))
        return
    for row in rows:
        health = f"left alone until {row.closed_until}: {row.reason}" if row.closed_until else "ok"
        health = row.problem or health
        typer.echo(
            f"{row.name:<16} {row.via:<16} {row.recovery:<13} {row.cost:>8} "
            f"{row.sent:>12,}  {health}"
        )


def _export(shop: "App", out: Path, *, print_json: bool) -> None:
    from regulars.reach.delivery.service import export_ledger  # noqa: PLC0415

    rows = export_ledger(shop.state, out)
    typer.echo(as_json({"file": str(out), "rows": rows}) if print_json else f"{rows:,} rows: {out}")


def _of_campaign(shop: "App", campaign: str, *, print_json: bool) -> None:
    from regulars.serve.cli.stations.reach.sending import summary_of  # noqa: PLC0415

    summary = summary_of(shop, campaign)
    if print_json:
        typer.echo(as_json(summary))
        return
    _print_fates(summary["eligible"] or 0, summary["fates"], _nested(summary["reasons"]))


def _of_turn(shop: "App", turn: int, *, print_json: bool) -> None:
    from regulars.govern.policy import Fate  # noqa: PLC0415
    from regulars.govern.policy.service import stopped  # noqa: PLC0415
    from regulars.reach.delivery.service import account, contacts_with_fate  # noqa: PLC0415

    tally, why = account(shop.state, turn), stopped(shop.state)
    unknown = contacts_with_fate(shop.state, turn, Fate.UNKNOWN)
    if print_json:
        found = {
            "turn": turn,
            "eligible": tally.eligible,
            "fates": tally.count_by_fate,
            "reasons": tally.reasons_by_fate,
            "unknown": unknown,
            "stopped": why,
        }
        typer.echo(as_json(found))
        return
    _print_fates(
        tally.eligible,
        {fate.value: count for fate, count in tally.count_by_fate.items()},
        {fate.value: reasons for fate, reasons in tally.reasons_by_fate.items()},
    )
    for contact in unknown:
        typer.echo(f"unknown: {contact['customer_id']} by {contact['channel']}, {contact['key']}")
    if why:
        typer.echo(f"contacts are stopped: {why}")


def _print_fates(eligible: int, fates: dict[str, int], reasons: dict[str, dict[str, int]]) -> None:
    typer.echo(f"eligible {eligible:>12,}")
    for fate, customers in fates.items():
        typer.echo(f"{fate:<9}{customers:>12,}")
        for reason, count in reasons.get(fate, {}).items():
            typer.echo(f"  {count:>19,}  {reason}")


def _nested(reasons: dict[str, Any]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for name, count in sorted(reasons.items()):
        fate, _, reason = name.partition("/")
        found.setdefault(fate, {})[reason] = count
    return found
