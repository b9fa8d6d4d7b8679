"""`regulars understand segment save`, `list`, `show`, `undo` and `delete`: audiences kept."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from regulars.serve.cli.stations.understand.segment.opening import (
    ACTOR,
    AsJson,
    Folder,
    Name,
    anchor_of,
    moment,
    open_shop,
    read_file,
    tell_json,
)


def save(
    name: Name,
    *,
    rule: Annotated[
        Path, typer.Option("--rule", help="TOML or JSON of the rule, or audience.", exists=True)
    ],
    folder: Folder = Path(),
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    owner: Annotated[str, typer.Option(help="Who answers for it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Keep an audience: a new one, or the next version of one there is."""
    from regulars.understand.segments.audiences.definition import checked  # noqa: PLC0415
    from regulars.understand.segments.audiences.service import keep_audience  # noqa: PLC0415

    shop, now = open_shop(folder), moment(None)
    read = read_file(rule, name)
    audience = checked(
        replace(read, description=description or read.description, owner=owner or read.owner)
    )
    kept = keep_audience(shop.state, audience, actor=ACTOR, now=now)
    anchor_of(shop, now)
    if as_json:
        tell_json({"name": kept.name, "version": kept.version})
    else:
        typer.echo(f"audience {kept.name} version {kept.version}")


def list_all(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """List the audiences with their members as of their last refresh."""
    from regulars.understand.segments.audiences.definition import lineage  # noqa: PLC0415
    from regulars.understand.segments.audiences.membership.service import (  # noqa: PLC0415
        last_refreshed,
    )
    from regulars.understand.segments.audiences.service import list_audiences  # noqa: PLC0415

    shop = open_shop(folder)
    audiences, sizes = list_audiences(shop.state), last_refreshed(shop.state)
    if as_json:
        tell_json([
            asdict(one)
            | {
                "lineage": lineage(one.rule),
                "members": sizes.get(one.name, (None, None))[0],
                "refreshed_at": sizes.get(one.name, (None, None))[1],
            }
            for one in audiences
        ])
        return
    for one in audiences:
        size, at = sizes.get(one.name, (None, ""))
        shown = "never refreshed" if size is None else f"{size:,} at {at[:16]}"
        typer.echo(f"{one.name:<24} {shown}  version {one.version}  {one.owner}".rstrip())
    if not audiences:
        typer.echo("no audiences; run: regulars understand segment save NAME --rule rule.json")


def show(name: Name, *, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Show an audience and every version it has had."""
    from regulars.understand.segments.audiences.definition import lineage  # noqa: PLC0415
    from regulars.understand.segments.audiences.service import (  # noqa: PLC0415
        audience_versions,
        find_audience,
    )

    shop = open_shop(folder)
    audience = find_audience(shop.state, name)
    versions = audience_versions(shop.state, name)
    if as_json:
        told = asdict(audience) | {"lineage": lineage(audience.rule)}
        tell_json(told | {"versions": [asdict(one) for one in versions]})
        return
    typer.echo(f"{audience.name}, version {audience.version}, owner {audience.owner}")
    if audience.description:
        typer.echo(audience.description)
    typer.echo(f"read from: {', '.join(lineage(audience.rule))}")
    for one in versions:
        gone = " deleted" if one.is_deleted else ""
        typer.echo(f"  {one.audience.version}: {one.at[:16]} by {one.actor}{gone}")
    tell_json(audience.given)


def undo(
    name: Name,
    *,
    version: Annotated[
        int | None, typer.Option(help="The version wanted back; the one before when left out.")
    ] = None,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Make an earlier version of an audience the newest again."""
    from regulars.errors import InputError  # noqa: PLC0415
    from regulars.understand.segments.audiences.service import (  # noqa: PLC0415
        find_audience,
        take_back,
    )

    shop, now = open_shop(folder), moment(None)
    wanted = find_audience(shop.state, name).version - 1 if version is None else version
    if not wanted:
        raise InputError(f"audience {name} has one version only; there is none before it")
    kept = take_back(shop.state, name, wanted, actor=ACTOR, now=now)
    anchor_of(shop, now)
    if as_json:
        tell_json({"name": name, "version": kept.version, "as": wanted})
    else:
        typer.echo(f"audience {name} version {kept.version}, as version {wanted} was")


def delete(name: Name, *, folder: Folder = Path()) -> None:
    """Delete an audience; its versions and its history stay readable."""
    from regulars.understand.segments.audiences.service import delete_audience  # noqa: PLC0415

    shop, now = open_shop(folder), moment(None)
    delete_audience(shop.state, name, actor=ACTOR, now=now)
    anchor_of(shop, now)
    typer.echo(f"audience {name} is deleted")
