"""`regulars reach campaign`: keep campaigns, look at them, take them through approval."""

import csv
import io
import json
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from regulars.errors import InputError
from regulars.serve.cli.files import text_of
from regulars.serve.cli.stations.reach.opening import (
    ACTOR,
    AsJson,
    CampaignId,
    Folder,
    as_json,
    open_shop,
)

campaign = typer.Typer(no_args_is_help=True, help="Campaigns as files: keep, compare, submit.")

Said = Annotated[str, typer.Option("--note", help="What to say about it.")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")]


@campaign.command("put")
def put(
    file: Annotated[Path, typer.Argument(help="TOML or JSON of one campaign.", exists=True)],
    *,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Keep a campaign: a new one, or the next version of one there is."""
    from regulars.serve.sending import acting  # noqa: PLC0415

    row = acting.put(open_shop(folder), given_in(file), actor=ACTOR, now=datetime.now(UTC))
    if print_json:
        typer.echo(as_json(row))
        return
    typer.echo(f"{row.campaign.id} version {row.version} is {row.state}")


@campaign.command("list")
def list_all(*, folder: Folder = Path(), print_json: AsJson = False) -> None:
    """List the campaigns, the one changed last first."""
    from regulars.reach.campaigns.service import list_campaigns  # noqa: PLC0415

    rows = list_campaigns(open_shop(folder).state)
    if print_json:
        typer.echo(as_json(rows))
        return
    for row in rows:
        audience = f"{row.audience:,}" if row.audience is not None else "-"
        typer.echo(
            f"{row.campaign.id:<24} {row.state:<10} v{row.version:<3} {audience:>10}  "
            f"{row.campaign.name}  {row.reason}".rstrip()
        )
    if not rows:
        typer.echo("no campaigns; run: regulars reach campaign put FILE.toml")


@campaign.command("show")
def show(name: CampaignId, *, folder: Folder = Path(), print_json: AsJson = False) -> None:
    """Show a campaign as it stands: what it says, its phases, what the gates say of them."""
    from regulars.serve.sending.watching import campaign_view  # noqa: PLC0415

    view = campaign_view(open_shop(folder), name, now=datetime.now(UTC))
    if print_json:
        typer.echo(as_json(view))
        return
    row = view.row
    typer.echo(f"{name} version {row.version} is {row.state} {row.reason}".rstrip())
    typer.echo(f"by {row.edited_by} at {row.edited_at}, hash {row.content_hash[:12]}")
    for phase in view.phases:
        fates = ", ".join(f"{fate} {count:,}" for fate, count in sorted(phase.fates.items()))
        gate = view.gates.get(phase.name)
        says = f" gate: {gate.gate} {gate.reason} {gate.says}".rstrip() if gate else ""
        typer.echo(f"  {phase.name:<12} {phase.state:<8} {phase.eligible:>10,}: {fates}{says}")


@campaign.command("diff")
def diff(
    what: Annotated[str, typer.Argument(help="Id of a campaign, or a file to compare with it.")],
    *,
    before: Annotated[
        int, typer.Option(min=-1, help="Earlier version; 0 for nothing, -1 for the one before.")
    ] = -1,
    after: Annotated[int, typer.Option(min=0, help="Later version; the newest by default.")] = 0,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Tell what changed between two versions, or what a file would change."""
    from regulars.reach.campaigns.service import compare_versions  # noqa: PLC0415
    from regulars.serve.sending.watching import compare_with  # noqa: PLC0415

    shop = open_shop(folder)
    if Path(what).suffix in {".toml", ".json"}:
        found = compare_with(shop, given_in(Path(what)))
    else:
        found = compare_versions(
            shop.state, what, before=None if before < 0 else before, after=after or None
        )
    if print_json:
        typer.echo(as_json(found))
        return
    for one in found:
        typer.echo(f"{one.field}: {json.dumps(one.before, ensure_ascii=False)} -> "
                   f"{json.dumps(one.after, ensure_ascii=False)}")  # fmt: skip
    if not found:
        typer.echo("nothing differs")


@campaign.command("submit")
def submit(
    name: CampaignId, *, note: Said = "", folder: Folder = Path(), print_json: AsJson = False
) -> None:
    """Ask for approval of the newest version as it stands now."""
    from regulars.serve.sending import acting  # noqa: PLC0415

    number = acting.submit(open_shop(folder), name, actor=ACTOR, now=datetime.now(UTC), note=note)
    if print_json:
        typer.echo(as_json({"request": number, "campaign": name}))
        return
    typer.echo(f"request {number}; now somebody else: regulars govern approve {number} --by NAME")


@campaign.command("go-on")
def go_on(name: CampaignId, *, note: Said = "", folder: Folder = Path()) -> None:
    """Let the next phase begin, whatever its gate says."""
    from regulars.serve.sending import acting  # noqa: PLC0415

    phase = acting.let_pass(open_shop(folder), name, actor=ACTOR, now=datetime.now(UTC), note=note)
    typer.echo(f"phase {phase} of {name} is let pass; the next begins with the next tick")


@campaign.command("end")
def end(name: CampaignId, *, reason: Why, folder: Folder = Path()) -> None:
    """End a campaign for good; whoever has not been contacted will not be."""
    from regulars.serve.sending import acting  # noqa: PLC0415

    left = acting.end(open_shop(folder), name, reason=reason, actor=ACTOR, now=datetime.now(UTC))
    typer.echo(f"{name} is over; {left:,} contacts will not go out")


def given_in(file: Path) -> Mapping[str, Any]:
    """Read a campaign's file; a list of customers it names becomes the list itself.

    Args:
        file: TOML or JSON. `audience.file` is a CSV with a column customer_id, or one id a
            line, found from where the campaign's file is.

    Returns:
        What it says.

    Raises:
        InputError: It cannot be read, or holds something else.
    """
    text = text_of(file)
    try:
        given = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise InputError(f"{file} is not readable: {error}; mend it") from error
    if not isinstance(given, dict):
        raise InputError(f"{file} holds {type(given).__name__}, must hold one campaign")
    audience = given.get("audience")
    if not isinstance(audience, dict) or "file" not in audience:
        return given
    if set(audience) != {"file"}:
        raise InputError(f"{file}: audience has file and more; give one of them")
    return given | {"audience": {"customers": _listed(file.parent / str(audience["file"]))}}


def _listed(file: Path) -> list[str]:
    lines = io.StringIO(text_of(file), newline="")
    rows = [row for row in csv.reader(lines) if row and row[0].strip()]
    if not rows:
        raise InputError(f"{file} names nobody; give one customer id a line")
    if "customer_id" in rows[0]:
        place = rows[0].index("customer_id")
        return [row[place] for row in rows[1:] if len(row) > place]
    if len(rows[0]) > 1:
        raise InputError(f"{file} has no column customer_id; name the column of ids so")
    return [row[0] for row in rows]
