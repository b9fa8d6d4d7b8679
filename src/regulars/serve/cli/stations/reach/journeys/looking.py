"""`regulars reach journey list`, `show` and `where`: journeys and who stands where."""

from pathlib import Path
from typing import Annotated, Any

import typer

from regulars.serve.cli.stations.reach.journeys.publishing import told_of
from regulars.serve.cli.stations.reach.opening import AsJson, Folder, as_json, open_shop

JourneyId = Annotated[str, typer.Argument(help="Id of the journey.")]


def list_all(*, folder: Folder = Path(), print_json: AsJson = False) -> None:
    """List the journeys, the one changed last first."""
    from regulars.reach.journeys.keeping.service import list_journeys  # noqa: PLC0415

    rows = list_journeys(open_shop(folder).state)
    if print_json:
        typer.echo(as_json([told_of(row) for row in rows]))
        return
    for row in rows:
        version = f"v{row.version}" if row.version is not None else "-"
        line = f"{row.id:<24} {row.state:<8} {version:<5} {row.current.journey.name}  {row.reason}"
        typer.echo(line.rstrip())
    if not rows:
        typer.echo("no journeys; run: regulars reach journey publish FILE.toml")


def show(name: JourneyId, *, folder: Folder = Path(), print_json: AsJson = False) -> None:
    """Show a journey as it stands: its versions, who came, which ways were gone how often."""
    from regulars.reach.journeys.keeping.service import find_journey  # noqa: PLC0415
    from regulars.reach.journeys.telling.service import flow_of  # noqa: PLC0415

    state = open_shop(folder).state
    row, flow = find_journey(state, name), flow_of(state, name)
    if print_json:
        versions = [
            {
                "version": one.version,
                "hash": one.content_hash,
                "kept_by": one.kept_by,
                "kept_at": one.kept_at,
                "published_at": one.published_at,
                "moves": one.moves,
            }
            for one in row.versions
        ]
        told: dict[str, Any] = told_of(row) | {"versions": versions, "flow": flow}
        typer.echo(as_json(told | {"definition": row.current.given}))
        return
    typer.echo(f"{name} is {row.state} {row.reason}".rstrip())
    for version in row.versions:
        mark = "*" if version.version == row.version else " "
        out = version.published_at or "not published"
        typer.echo(f"{mark} v{version.version:<4} {version.content_hash[:12]}  {out}")
    came = ", ".join(f"{word} {count:,}" for word, count in flow.entered.items())
    typer.echo(f"came in: {came or 'nobody'}; inside {flow.inside:,}")
    for way in flow.passed:
        typer.echo(f"  v{way.version:<4} {way.node:<24} {way.edge:<16} {way.steps:>12,}")


def where(
    name: JourneyId,
    *,
    customer: Annotated[str, typer.Option(help="Only one customer, step by step.")] = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Tell who of a journey stands where, or where one customer went."""
    from regulars.reach.journeys.keeping.service import standing_at  # noqa: PLC0415
    from regulars.reach.journeys.telling.service import stays_of  # noqa: PLC0415
    from regulars.reach.journeys.walking.moments import moment_of  # noqa: PLC0415

    state = open_shop(folder).state
    standing = standing_at(state, name)
    if customer:
        stays = [stay for stay in stays_of(state, customer) if stay.journey == name]
        if print_json:
            typer.echo(as_json(stays))
            return
        for stay in stays:
            until = stay.wake_at.isoformat() if stay.wake_at else "left"
            typer.echo(f"{stay.entered_at.isoformat()} {stay.assignment}: {stay.node} {until}")
            for step in stay.steps:
                typer.echo(f"  {step.at.isoformat()} {step.node} {step.edge}")
        return
    if print_json:
        typer.echo(as_json([vars(one) | {"next_at": moment_of(one.next_at)} for one in standing]))
        return
    for one in standing:
        at = moment_of(one.next_at).isoformat()
        typer.echo(f"v{one.version:<4} {one.node:<24} {one.customers:>12,}  next {at}")
    if not standing:
        typer.echo("nobody is inside")
