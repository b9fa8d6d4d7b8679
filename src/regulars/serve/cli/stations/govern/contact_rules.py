"""`regulars govern policy`: the rules of contact, and what they would say of one contact."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regulars.errors import InputError

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.reach.standing.shown import PolicyShown

app = typer.Typer()


@app.command("policy")
def policy(
    *,
    customer: Annotated[
        str, typer.Option(help="Ask what the rules say of a contact with this customer instead.")
    ] = "",
    channel: Annotated[str, typer.Option(help="Channel of that contact.")] = "",
    message_class: Annotated[
        str, typer.Option("--class", help="marketing or transactional.")
    ] = "marketing",
    topic: Annotated[str, typer.Option(help="Topic of that contact.")] = "",
    folder: Annotated[Path, typer.Option("--dir", help="The workspace folder.")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show every rule of contact, cap and quota with its source; not legal advice."""
    from regulars.app import open_app  # noqa: PLC0415
    from regulars.reach.standing.shown import shown_policy  # noqa: PLC0415

    shop, now = open_app(folder), datetime.now(UTC)
    if customer:
        _check(shop, (customer, channel, message_class, topic), now, as_json)
        return
    found = shown_policy(shop.settings, now=now)
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False, default=str))
    else:
        _print(found)


def _print(found: "PolicyShown") -> None:
    typer.echo(found.note)
    typer.echo("\nRules, in the order they are asked:")
    for rule in found.rules:
        typer.echo(f"  {rule.name:<16} {', '.join(one.code for one in rule.reasons)}")
    typer.echo("\nCaps on marketing contacts:")
    for cap in found.caps:
        about = cap.channel or cap.topic or "all"
        span = "" if cap.window == "calendar_month" else f" {cap.days} days"
        typer.echo(
            f"  {cap.name or 'plain':<16} {cap.contacts} per {cap.window}{span}, {about}, "
            f"{cap.when_full} when full"
        )
    typer.echo("\nQuiet hours, where the customer is:")
    for hours in found.quiet:
        typer.echo(f"  {hours.scope:<16} {hours.quiet_from}:00 to {hours.quiet_to}:00")
    typer.echo("\nQuotas of platforms:")
    for quota in found.quotas:
        typer.echo(f"  {quota.name:<28} {quota.says}")
        typer.echo(f"  {'':<28} as of {quota.as_of}: {quota.source}")
    if not found.quotas:
        typer.echo("  none binds a channel of this workspace")


def _check(shop: "App", about: tuple[str, str, str, str], now: datetime, as_json: bool) -> None:
    from regulars.govern.policy import TRANSACTIONAL_CLASS, explain  # noqa: PLC0415
    from regulars.govern.policy.asks import Ask  # noqa: PLC0415
    from regulars.reach.standing.gate import gate_of  # noqa: PLC0415
    from regulars.reach.standing.service import check  # noqa: PLC0415

    customer, channel, message_class, topic = about
    if channel not in shop.settings.channels:
        known = ", ".join(sorted(shop.settings.channels))
        raise InputError(f"channel is {channel!r}, must be one of {known}; give --channel")
    if message_class not in {"marketing", TRANSACTIONAL_CLASS}:
        raise InputError(f"--class is {message_class!r}, must be marketing or transactional")
    ask = Ask("check", customer, channel, message_class, topic, is_automated=True)
    found = check(shop.state, gate_of(shop.settings, now=now), ask, now=now)
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False, default=str))
        return
    locale = shop.settings.retailer.locale
    until = f" until {found.verdict.hold_until}" if found.verdict.hold_until else ""
    typer.echo(f"{found.verdict.decision}{until}")
    for answer in found.answers:
        says = explain(answer.reason, locale) if answer.reason else "-"
        typer.echo(f"  {answer.rule:<16} {says}")
