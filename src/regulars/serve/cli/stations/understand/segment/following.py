"""`regulars understand segment refresh`, `history`, `export`: who came, left, is in it."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from regulars.serve.cli.stations.understand.segment.opening import (
    ACTOR,
    AsJson,
    Folder,
    Moment,
    Name,
    anchor_of,
    open_shop,
    place_of,
    tell_json,
)


def refresh(
    names: Annotated[
        list[str] | None, typer.Argument(help="Audiences to judge again; all without any.")
    ] = None,
    *,
    folder: Folder = Path(),
    now: Moment = None,
    as_json: AsJson = False,
) -> None:
    """Judge audiences again, and note who entered and who left."""
    from regulars.understand.segments.audiences.refreshing.service import (  # noqa: PLC0415
        refresh as refreshed,
    )
    from regulars.understand.segments.audiences.service import find_audience  # noqa: PLC0415

    shop = open_shop(folder)
    for name in names or []:
        find_audience(shop.state, name)
    done = refreshed(
        shop.engine, shop.state, shop.lake, place=place_of(shop, now), names=names or []
    )
    if as_json:
        tell_json(asdict(done))
        return
    for one in done.audiences:
        what = one.problem or (
            f"{one.members:,} members, {one.entered:,} entered, {one.left:,} left; judged "
            f"{'everybody' if one.is_full else f'{one.judged:,}'}"
        )
        typer.echo(f"{one.name:<24} {what}")
    if done.at is None:
        typer.echo("no profiles yet, so nobody can be judged; run: regulars run")


def history(
    name: Name,
    *,
    members: Annotated[
        bool, typer.Option("--members", help="List every customer who entered or left.")
    ] = False,
    after: Annotated[int, typer.Option(help="Only refreshes with a higher number.")] = 0,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Tell how an audience grew and shrank, refresh by refresh."""
    from regulars.understand.segments.audiences.membership import service  # noqa: PLC0415
    from regulars.understand.segments.audiences.service import (  # noqa: PLC0415
        audience_versions,
        find_audience,
    )

    shop = open_shop(folder)
    if not audience_versions(shop.state, name):
        find_audience(shop.state, name)
    if members:
        changes = service.changes(shop.engine, name, after=after)
        if as_json:
            tell_json([asdict(one) for one in changes])
            return
        for one in changes:
            typer.echo(
                f"{one.refresh:>6} {one.at.isoformat()[:16]} {one.change:<8} {one.customer_id}"
            )
        return
    counts = [one for one in service.history(shop.engine, name) if one.refresh > after]
    if as_json:
        tell_json([asdict(one) for one in counts])
        return
    for line in counts:
        typer.echo(
            f"{line.refresh:>6} {line.at.isoformat()[:16]} {line.members:>9,} members, "
            f"{line.entered:,} entered, {line.left:,} left"
        )
    if not counts:
        typer.echo(f"no changes yet; run: regulars understand segment refresh {name}")


def export(
    name: Name,
    *,
    out: Annotated[Path, typer.Option("--out", help="The CSV file to write.")],
    column: Annotated[
        list[str] | None,
        typer.Option(help="Contact data or a field of profiles; may be given again."),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Uncover contact data.")] = False,
    reason: Annotated[str, typer.Option(help="What clear contact data is for.")] = "",
    folder: Folder = Path(),
    now: Moment = None,
    as_json: AsJson = False,
) -> None:
    """Export an audience as CSV, contact data covered; the audit log keeps who, what and why.

    Whoever may read the workspace folder may do everything: this command acts as an approver.
    """
    from regulars.govern.access import Role  # noqa: PLC0415
    from regulars.understand.segments.audiences.exporting.service import (  # noqa: PLC0415
        USUAL,
        Wish,
    )
    from regulars.understand.segments.audiences.exporting.service import (  # noqa: PLC0415
        export as exported,
    )
    from regulars.understand.segments.audiences.service import find_audience  # noqa: PLC0415

    shop = open_shop(folder)
    place = place_of(shop, now)
    wish = Wish(ACTOR, Role.APPROVER, tuple(column or USUAL), clear, reason)
    text = exported(
        shop.engine,
        shop.state,
        find_audience(shop.state, name),
        wish,
        place=place,
        protector=shop.protector,
    )
    anchor_of(shop, place.now)
    out.write_text(text, encoding="utf-8-sig", newline="")
    rows = text.count("\r\n") - 1
    if as_json:
        tell_json({"file": str(out), "rows": rows})
    else:
        typer.echo(f"{rows:,} rows: {out}")
