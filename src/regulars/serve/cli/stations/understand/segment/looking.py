"""`regulars understand segment count`, `members` and `overlap`: who is in an audience now."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from regulars.serve.cli.stations.understand.segment.opening import (
    AsJson,
    Folder,
    Kept,
    Moment,
    RuleFile,
    chosen,
    open_shop,
    place_of,
    tell_json,
)


def count(
    *,
    rule: RuleFile = None,
    name: Kept = "",
    folder: Folder = Path(),
    now: Moment = None,
    as_json: AsJson = False,
) -> None:
    """Count whom a rule holds for now, on the profiles of the newest turn and all events."""
    from regulars.understand.segments.audiences.live.service import count as counted  # noqa: PLC0415

    shop = open_shop(folder)
    audience, place = chosen(shop, rule, name), place_of(shop, now)
    found = counted(shop.engine, shop.state, audience.rule, place=place)
    if as_json:
        tell_json(asdict(found))
    else:
        typer.echo(f"{found.customers:,} of {found.known:,} customers, as of {found.as_of}")


def members(
    *,
    rule: RuleFile = None,
    name: Kept = "",
    folder: Folder = Path(),
    now: Moment = None,
    as_json: AsJson = False,
) -> None:
    """List whom a rule holds for now: one customer id a line, in order."""
    from regulars.understand.segments.audiences.live import service  # noqa: PLC0415

    shop = open_shop(folder)
    audience, place = chosen(shop, rule, name), place_of(shop, now)
    found = service.members(shop.engine, shop.state, audience.rule, place=place)
    if as_json:
        tell_json({"count": len(found), "members": found})
    elif found:
        typer.echo("\n".join(found))


def overlap(
    *,
    rule: RuleFile = None,
    name: Kept = "",
    other: Annotated[
        list[str] | None,
        typer.Option("--with", help="A saved audience; may be given again. All without it."),
    ] = None,
    folder: Folder = Path(),
    now: Moment = None,
    as_json: AsJson = False,
) -> None:
    """Compare an audience with those that were saved: how many are in both."""
    from regulars.understand.segments.audiences.live.service import overlaps  # noqa: PLC0415
    from regulars.understand.segments.audiences.service import find_audience  # noqa: PLC0415

    shop = open_shop(folder)
    audience, place = chosen(shop, rule, name), place_of(shop, now)
    for named in other or []:
        find_audience(shop.state, named)
    found = overlaps(
        shop.engine, shop.state, audience.rule, place=place, names=other or [], leave_out=name
    )
    if as_json:
        tell_json([asdict(one) for one in found])
        return
    for one in found:
        typer.echo(f"{one.name:<24} {one.customers:>9,} {one.both:>9,} in both {one.share:>7.1%}")
    if not found:
        typer.echo("nothing to compare with; save audiences, and run: regulars run")


def starts(
    key: Annotated[
        str | None, typer.Argument(help="A starting point: print its rule as JSON.")
    ] = None,
    *,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """List the points an audience may begin from: five consumer types, and the value grid."""
    from regulars.understand.segments.audiences.live.service import started  # noqa: PLC0415
    from regulars.understand.segments.audiences.starting import (  # noqa: PLC0415
        BUYING_TYPES,
        STARTS,
    )

    if key is not None:
        tell_json(started(open_shop(folder).engine, key))
        return
    says = {one: BUYING_TYPES[one].says if one in BUYING_TYPES else "" for one in STARTS}
    if as_json:
        tell_json([{"key": one, "says": text} for one, text in says.items()])
        return
    for one, text in says.items():
        typer.echo(f"{one:<24} {text}".rstrip())
