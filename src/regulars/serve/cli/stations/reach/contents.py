"""`regulars reach content`: keep contents, list, compare and preview them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from regulars.serve.cli.stations.reach.opening import (
    ACTOR,
    AsJson,
    Folder,
    Moment,
    as_json,
    keep_anchor,
    moment_of,
    open_shop,
)

content = typer.Typer(no_args_is_help=True, help="What messages say, version by version.")

Name = Annotated[str, typer.Argument(help="id@version, or the id for the newest.")]


@content.command("put")
def put(
    files: Annotated[list[Path], typer.Argument(help="TOML files.", exists=True)],
    *,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Keep contents; one that changed is a new version, one that did not is not."""
    from regulars.reach.content.keeping.files import read_content  # noqa: PLC0415
    from regulars.reach.content.service import put_content  # noqa: PLC0415

    shop = open_shop(folder)
    names = [
        put_content(shop.state, read_content(file), actor=ACTOR, at=datetime.now(UTC))
        for file in files
    ]
    keep_anchor(shop)
    typer.echo(as_json({"kept": names}) if print_json else "\n".join(names))


@content.command("list")
def list_all(*, folder: Folder = Path(), print_json: AsJson = False) -> None:
    """List the newest version of every content."""
    from regulars.reach.content.service import list_contents  # noqa: PLC0415

    kept = list_contents(open_shop(folder).state)
    if print_json:
        rows = [
            {
                "id": one.content.id,
                "version": one.content.version,
                "channel": one.content.channel,
                "message_class": one.content.message_class,
                "locales": sorted(one.content.variants),
                "at": one.at,
                "actor": one.actor,
            }
            for one in kept
        ]
        typer.echo(as_json(rows))
        return
    for one in kept:
        made = one.content
        locales = " ".join(sorted(made.variants))
        typer.echo(f"{made.name:<28} {made.channel:<10} {made.message_class:<14} {locales}")
    if not kept:
        typer.echo("no contents; run: regulars reach content put spring.toml")


@content.command("show")
def show(name: Name, *, folder: Folder = Path()) -> None:
    """Show everything a content says, as JSON."""
    from regulars.reach.content.service import kept  # noqa: PLC0415

    found = kept(open_shop(folder).state, name)
    typer.echo(as_json(found))


@content.command("diff")
def diff(
    before: Name,
    after: Annotated[str, typer.Argument(help="Another version; the newest by default.")] = "",
    *,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Tell what changed between two versions, line by line."""
    from regulars.reach.content.keeping.files import difference  # noqa: PLC0415
    from regulars.reach.content.service import get_content  # noqa: PLC0415

    state = open_shop(folder).state
    newest = after or before.partition("@")[0]
    lines = difference(get_content(state, before), get_content(state, newest))
    typer.echo(as_json({"lines": lines}) if print_json else "\n".join(lines) or "they say the same")


@content.command("preview")
def show_preview(
    name: Name,
    *,
    customer: Annotated[str, typer.Option(help="Customer whose profile to use.")],
    channel: Annotated[str, typer.Option(help="Channel; the content's own by default.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write the page to this file.")] = None,
    now: Moment = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Show a content as one customer would get it, names and address covered."""
    from regulars.reach.content.service import get_content, preview  # noqa: PLC0415

    shop = open_shop(folder)
    found = preview(
        shop.content_tools,
        get_content(shop.state, name),
        customer,
        now=moment_of(now, shop),
        channel=channel,
    )
    if out is not None:
        out.write_text(found.html, encoding="utf-8")
    if print_json:
        typer.echo(as_json(found))
        return
    if found.reason:
        typer.echo(f"no message: {found.reason} {found.detail}".rstrip())
    typer.echo(f"to      {found.address or 'nobody'} by {found.channel}, in {found.locale}")
    typer.echo(f"subject {found.subject}\n\n{found.text}")
    if found.parts:
        typer.echo(f"\n{found.parts.letters} letters, {found.parts.parts} text messages")


@content.command("facets")
def set_words(
    name: Name,
    *,
    tags: Annotated[str | None, typer.Option(help="Tags, separated by commas.")] = None,
    interests: Annotated[str | None, typer.Option(help="Interests, separated by commas.")] = None,
    folder: Folder = Path(),
) -> None:
    """Say what tags and interests a content has; what it had before is replaced."""
    from regulars.reach.content.shelf.service import set_facets  # noqa: PLC0415

    shop = open_shop(folder)
    for kind, words in (("tag", tags), ("interest", interests)):
        if words is not None:
            given = words.split(",")
            set_facets(shop.state, name, kind, given, actor=ACTOR, now=datetime.now(UTC))
    keep_anchor(shop)
    typer.echo(f"kept for {name}")


@content.command("search")
def search_some(
    text: Annotated[str, typer.Argument(help="Words in its id or in what it says.")] = "",
    *,
    channel: Annotated[str, typer.Option(help="Channel.")] = "",
    locale: Annotated[str, typer.Option(help="Language, such as zh-CN.")] = "",
    tag: Annotated[str, typer.Option(help="Tag.")] = "",
    interest: Annotated[str, typer.Option(help="Interest.")] = "",
    review: Annotated[str, typer.Option(help="draft, in_review, approved or sent_back.")] = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Find contents of the library."""
    from regulars.reach.content.shelf.service import Wanted, search  # noqa: PLC0415

    wanted = Wanted(text, channel, locale, tag, interest, review)
    found = search(open_shop(folder).state, wanted)
    if print_json:
        rows = [
            {"name": one.kept.content.name, "tags": one.tags, "interests": one.interests,
             "review": one.review}
            for one in found
        ]  # fmt: skip
        typer.echo(as_json(rows))
        return
    for one in found:
        words = " ".join([*one.tags, *one.interests])
        typer.echo(f"{one.kept.content.name:<28} {one.review:<10} {words}")
    if not found:
        typer.echo("nothing found")


@content.command("matrix")
def show_matrix(*, folder: Folder = Path(), print_json: AsJson = False) -> None:
    """Show which interest has which content by channel, and where nothing is approved."""
    from regulars.reach.content.shelf.service import matrix  # noqa: PLC0415

    shop = open_shop(folder)
    found = matrix(shop.state, channels=list(shop.settings.channels))
    rows: list[dict[str, Any]] = [
        {"interest": row, "channel": column,
         "contents": [one.id for one in found.items.get((row, column), [])],
         "is_gap": (row, column) in found.gaps}
        for row in found.interests
        for column in found.channels
    ]  # fmt: skip
    if print_json:
        typer.echo(as_json(rows))
        return
    for one in rows:
        gap = "  nothing approved" if one["is_gap"] else ""
        typer.echo(f"{one['interest']:<20} {one['channel']:<12} {' '.join(one['contents'])}{gap}")
    if not rows:
        typer.echo("no interests; run: regulars reach content facets NAME --interests tea,coffee")
