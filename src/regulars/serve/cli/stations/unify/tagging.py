"""`regulars unify tag`: define tags, count whom they reach, give and remove them."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regulars.errors import InputError
from regulars.serve.cli.files import text_of

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.unify.tags.definitions import Tag

ACTOR = "command line"

app = typer.Typer(no_args_is_help=True, help="Named groups of customers, defined as data.")

Name = Annotated[str, typer.Argument(help="What the tag is called.")]
Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
File = Annotated[
    Path | None,
    typer.Option(
        "--file", help="JSON of the tag: kind, definition, owner, expires_on...", exists=True
    ),
]
Customers = Annotated[
    list[str] | None, typer.Option("--customer", help="A customer id; may be given again.")
]
ListOf = Annotated[
    Path | None,
    typer.Option("--customers", help="CSV with a column customer_id.", exists=True),
]


@app.command("list")
def list_all(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """List the tags with their members as of the newest turn."""
    from regulars.unify.tags.definitions import lineage  # noqa: PLC0415
    from regulars.unify.tags.live.service import members_now  # noqa: PLC0415
    from regulars.unify.tags.service import list_tags  # noqa: PLC0415

    shop = _open(folder)
    tags = list_tags(shop.state)
    members = members_now(shop.engine, tags) if tags else {}
    if as_json:
        rows = [asdict(t) | {"lineage": lineage(t), "members": members[t.name]} for t in tags]
        typer.echo(json.dumps(rows, ensure_ascii=False, default=str))
        return
    for tag in tags:
        typer.echo(f"{tag.name:<24} {tag.kind:<7} {members[tag.name]:>9,}  {tag.owner}".rstrip())
    if not tags:
        typer.echo("no tags; run: regulars unify tag add NAME --file tag.json")


@app.command("add")
def add(
    name: Name,
    *,
    file: File = None,
    folder: Folder = Path(),
    as_json: AsJson = False,
    customer: Customers = None,
    customers: ListOf = None,
) -> None:
    """Keep a tag, new or its next version; without a file, a tag given by hand.

    With customers, the tag is given to them too.
    """
    from regulars.unify.tags.service import give, keep_tag, list_tags  # noqa: PLC0415

    shop, named = _open(folder), _named(customer, customers)
    known = {tag.name: tag for tag in list_tags(shop.state)}
    if file is None and name in known:
        kept = known[name]
    else:
        kept = keep_tag(shop.state, _read(name, file), actor=ACTOR, now=_now())
    given = give(shop.state, name, named, actor=ACTOR, now=_now()) if named else 0
    _anchor(shop)
    if as_json:
        typer.echo(json.dumps({"name": name, "version": kept.version, "given": given}))
    else:
        also = f", given to {given:,} customers" if given else ""
        typer.echo(f"tag {name} version {kept.version}{also}")


@app.command("count")
def count_members(
    name: Annotated[str | None, typer.Argument(help="A tag there is.")] = None,
    *,
    file: File = None,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Count whom a tag, or a file being written, reaches on the newest profiles."""
    from regulars.unify.identity.service import aliases  # noqa: PLC0415
    from regulars.unify.tags.live.service import count  # noqa: PLC0415
    from regulars.unify.tags.service import find_tag  # noqa: PLC0415

    shop = _open(folder)
    if (name is None) == (file is None):
        raise InputError("give the name of a tag, or --file with a tag to be; one of them")
    tag = find_tag(shop.state, name) if name else _read("counted", file)
    found = count(shop.engine, tag, aliases=aliases(shop.state))
    if as_json:
        typer.echo(json.dumps(asdict(found), default=str))
    else:
        typer.echo(f"{found.customers:,} of {found.known:,} customers, as of {found.as_of}")


@app.command("remove")
def remove_tag(
    name: Name,
    *,
    folder: Folder = Path(),
    customer: Customers = None,
    customers: ListOf = None,
) -> None:
    """Take a tag from customers, for good until it is given again; without any, delete it."""
    from regulars.unify.tags.service import delete_tag, remove  # noqa: PLC0415

    shop, named = _open(folder), _named(customer, customers)
    if named:
        done = remove(shop.state, name, named, actor=ACTOR, now=_now())
        typer.echo(f"tag {name} taken from {done:,} customers")
    else:
        delete_tag(shop.state, name, actor=ACTOR, now=_now())
        typer.echo(f"tag {name} is deleted")
    _anchor(shop)


def _read(name: str, file: Path | None) -> "Tag":
    from regulars.unify.tags.service import read_tag  # noqa: PLC0415

    if file is None:
        return read_tag(name, {"kind": "manual"})
    text = text_of(file)
    try:
        given: Any = json.loads(text)
    except ValueError as error:
        raise InputError(f"{file} is not readable JSON: {error}; mend it") from error
    if not isinstance(given, dict):
        raise InputError(f"{file} holds {type(given).__name__}, must hold one JSON object")
    return read_tag(name, given)


def _named(customer: list[str] | None, file: Path | None) -> list[str]:
    import csv  # noqa: PLC0415
    import io  # noqa: PLC0415

    found = list(customer or [])
    if file is not None:
        rows = csv.DictReader(io.StringIO(text_of(file), newline=""))
        if "customer_id" not in (rows.fieldnames or []):
            raise InputError(f"{file} has no column customer_id; name the column of ids so")
        found += [row["customer_id"] or "" for row in rows]
    return found


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415 - slow to import

    return open_app(folder)


def _anchor(shop: "App") -> None:
    from regulars.govern.audit.service import anchor  # noqa: PLC0415

    anchor(shop.state, folder=shop.folder, at=_now())


def _now() -> datetime:
    return datetime.now(UTC)
