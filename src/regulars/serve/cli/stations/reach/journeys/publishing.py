"""`regulars reach journey publish`, `diff` and others: versions, and everybody inside."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regulars.serve.cli.files import text_of
from regulars.serve.cli.stations.reach.opening import (
    ACTOR,
    AsJson,
    Folder,
    Moment,
    as_json,
    moment_of,
    open_shop,
)

if TYPE_CHECKING:
    from regulars.reach.journeys.keeping.publishing.service import Published

What = Annotated[str, typer.Argument(help="Id of a journey, or the file that holds it.")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map", help="What becomes of those at a node: NODE=NODE, NODE=stay or NODE=exit."
    ),
]


def put(
    file: Annotated[Path, typer.Argument(help="TOML or JSON of one journey.", exists=True)],
    *,
    folder: Folder = Path(),
    now: Moment = "",
    print_json: AsJson = False,
) -> None:
    """Keep a journey: a new one, or the next version; nobody walks by it yet."""
    from regulars.serve.sending.journeys import acting  # noqa: PLC0415

    shop = open_shop(folder)
    row = acting.put(shop, given_in(file), actor=ACTOR, now=moment_of(now, shop))
    if print_json:
        typer.echo(as_json(told_of(row)))
        return
    typer.echo(f"{row.id} version {row.newest.version} is kept; {row.id} is {row.state}")


def submit(
    what: What,
    *,
    note: Annotated[str, typer.Option("--note", help="What to say about it.")] = "",
    folder: Folder = Path(),
    now: Moment = "",
    print_json: AsJson = False,
) -> None:
    """Ask for approval of the newest version; a file is kept first."""
    from regulars.serve.sending.journeys import acting  # noqa: PLC0415

    shop = open_shop(folder)
    moment = moment_of(now, shop)
    name = _kept(shop, what, moment)
    number = acting.submit(shop, name, actor=ACTOR, now=moment, note=note)
    if print_json:
        typer.echo(as_json({"request": number, "journey": name}))
        return
    typer.echo(f"request {number}; now somebody else: regulars govern approve {number} --by NAME")


def publish(
    what: What,
    *,
    moves: Map = None,
    folder: Folder = Path(),
    now: Moment = "",
    print_json: AsJson = False,
) -> None:
    """Let customers come in by a version, and say what becomes of those inside; a file is kept."""
    from regulars.serve.sending.journeys import acting  # noqa: PLC0415

    shop = open_shop(folder)
    moment = moment_of(now, shop)
    name = _kept(shop, what, moment)
    done = acting.publish(shop, name, moves=_moves(moves), actor=ACTOR, now=moment)
    _print(done, print_json=print_json)


def rollback(
    what: What,
    *,
    to: Annotated[
        int, typer.Option(min=0, help="Version to go back to; the one before when left out.")
    ] = 0,
    moves: Map = None,
    folder: Folder = Path(),
    now: Moment = "",
    print_json: AsJson = False,
) -> None:
    """Put the version before in the place of the current one; those who were moved go back."""
    from regulars.serve.sending.journeys import acting  # noqa: PLC0415

    shop = open_shop(folder)
    done = acting.roll_back(
        shop,
        _id_of(what),
        moves=_moves(moves),
        actor=ACTOR,
        now=moment_of(now, shop),
        to=to or None,
    )
    _print(done, print_json=print_json)


def diff(
    what: What,
    *,
    before: Annotated[
        int, typer.Option(min=0, help="Earlier version; the current one by default.")
    ] = 0,
    after: Annotated[int, typer.Option(min=0, help="Later version; the newest by default.")] = 0,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Tell what a file would change, or what changed between two versions."""
    from regulars.reach.journeys.definition.reading import read_journey  # noqa: PLC0415
    from regulars.reach.journeys.keeping.service import (  # noqa: PLC0415
        compare,
        compared,
        list_journeys,
    )
    from regulars.serve.sending.journeys.acting import ground_of  # noqa: PLC0415

    shop = open_shop(folder)
    if _is_file(what):
        journey = read_journey(given_in(Path(what)), ground_of(shop))
        known = {row.id: row for row in list_journeys(shop.state)}
        row = known.get(journey.id)
        found = compared(row.current.journey if row else None, journey)
    else:
        found = compare(shop.state, what, before=before or None, after=after or None)
    if print_json:
        typer.echo(as_json(found))
        return
    for one in found:
        typer.echo(f"{one.field}: {as_json(one.before)} -> {as_json(one.after)}")
    if not found:
        typer.echo("nothing differs")


def pause(
    what: What,
    *,
    reason: Why,
    folder: Folder = Path(),
    now: Moment = "",
    print_json: AsJson = False,
) -> None:
    """Let nobody of a journey go on, and hold its contacts; what happens meanwhile counts."""
    from regulars.serve.sending.journeys import acting  # noqa: PLC0415

    shop, name = open_shop(folder), _id_of(what)
    row = acting.pause(shop, name, reason=reason, actor=ACTOR, now=moment_of(now, shop))
    if print_json:
        typer.echo(as_json(told_of(row)))
        return
    typer.echo(f"{name} is paused; to go on run: regulars reach journey resume {name}")


def resume(
    what: What, *, folder: Folder = Path(), now: Moment = "", print_json: AsJson = False
) -> None:
    """Let a paused journey go on where it stood."""
    from regulars.serve.sending.journeys import acting  # noqa: PLC0415

    shop, name = open_shop(folder), _id_of(what)
    row = acting.resume(shop, name, actor=ACTOR, now=moment_of(now, shop))
    typer.echo(as_json(told_of(row)) if print_json else f"{name} goes on")


def stop(
    what: What,
    *,
    reason: Why,
    folder: Folder = Path(),
    now: Moment = "",
    print_json: AsJson = False,
) -> None:
    """End a journey for good: nobody comes in or goes on, no contact of it goes out."""
    from regulars.serve.sending.journeys import acting  # noqa: PLC0415

    shop, name = open_shop(folder), _id_of(what)
    row = acting.stop(shop, name, reason=reason, actor=ACTOR, now=moment_of(now, shop))
    typer.echo(as_json(told_of(row)) if print_json else f"{name} is over")


def told_of(row: Any) -> dict[str, Any]:
    """Give a journey as it is told in JSON: without the words of its versions.

    Returns:
        Id, state, reason, version, newest version and when it changed.
    """
    return {
        "journey": row.id,
        "state": row.state,
        "reason": row.reason,
        "version": row.version,
        "newest": row.newest.version,
        "changed_at": row.changed_at,
    }


def given_in(file: Path) -> Mapping[str, Any]:
    """Read a journey's file.

    Returns:
        What it says.

    Raises:
        InputError: It cannot be read.
    """
    from regulars.reach.journeys.definition.reading import parse  # noqa: PLC0415

    return parse(text_of(file), is_json=file.suffix == ".json")


def _is_file(what: str) -> bool:
    return Path(what).suffix in {".toml", ".json"}


def _id_of(what: str) -> str:
    return str(given_in(Path(what)).get("id", "")) if _is_file(what) else what


def _kept(shop: Any, what: str, moment: Any) -> str:
    """Keep the journey of a file; gives its id."""
    from regulars.serve.sending.journeys import acting  # noqa: PLC0415

    if not _is_file(what):
        return what
    return str(acting.put(shop, given_in(Path(what)), actor=ACTOR, now=moment).id)


def _moves(given: list[str] | None) -> dict[str, str]:
    from regulars.reach.journeys.keeping.publishing.moving import read_moves  # noqa: PLC0415

    return read_moves(",".join(given or []))


def _print(done: "Published", *, print_json: bool) -> None:
    if print_json:
        typer.echo(as_json(done))
        return
    before = f", in the place of {done.replaces}" if done.replaces else ""
    typer.echo(f"{done.journey} version {done.version} is published{before}")
    typer.echo(
        f"inside {done.inside:,}, moved {done.moved:,}, taken out {done.taken_out:,}, "
        f"staying by the version before {done.stayed:,}"
    )
