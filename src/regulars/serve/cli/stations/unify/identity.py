"""`regulars unify merge`, `unmerge` and `explain`: who is one customer, and why."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from regulars.unify.identity.service import Merge

ACTOR = "command line"
Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reason = Annotated[str, typer.Option(help="Why, in your words; kept in the audit log.")]


def merge(
    customer: Annotated[str, typer.Argument(help="A customer id.")],
    other: Annotated[str, typer.Argument(help="The customer id of the same person.")],
    *,
    folder: Folder = Path(),
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Make two customers one; `unmerge` takes it back."""
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import
    from regulars.govern.audit.service import anchor  # noqa: PLC0415
    from regulars.unify.identity import service  # noqa: PLC0415
    from regulars.unify.identity.known.service import require_known  # noqa: PLC0415

    shop, now = open_app(folder), datetime.now(UTC)
    state = shop.state
    require_known(state, shop.engine, (customer, other))
    line = service.merge(state, customer, other, actor=ACTOR, now=now, reason=reason)
    anchor(state, folder=folder, at=now)
    _tell([line], as_json=as_json)


def unmerge(
    number: Annotated[
        int,
        typer.Argument(min=1, max=2**31 - 1, help="Number of a merge, as `explain` shows it."),
    ],
    *,
    folder: Folder = Path(),
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Take a merge back; what was met since stays with the identifier it was met with."""
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import
    from regulars.govern.audit.service import anchor  # noqa: PLC0415
    from regulars.unify.identity import service  # noqa: PLC0415

    state, now = open_app(folder).state, datetime.now(UTC)
    lines = service.unmerge(state, number, actor=ACTOR, now=now, reason=reason)
    anchor(state, folder=folder, at=now)
    _tell(lines, as_json=as_json)


def explain(
    customer: Annotated[str, typer.Argument(help="A customer id, or one they had before.")],
    *,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Tell why some identifiers are one customer; values are masked."""
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import
    from regulars.unify.identity import service  # noqa: PLC0415

    shop = open_app(folder)
    found = service.explain(shop.state, customer)
    covered = shop.protector.masked(one.value for one in found.identifiers)
    shown = {one.node: one.shown(covered) for one in found.identifiers}
    if as_json:
        whole = asdict(found)
        for one in whole["identifiers"]:
            one["value"] = shown[one["node"]]
        typer.echo(json.dumps(whole, ensure_ascii=False))
        return
    typer.echo(f"{found.customer_id}: {len(found.identifiers)} identifiers")
    for one in found.identifiers:
        note = "  (shared: tells nothing)" if one.is_shared else ""
        typer.echo(f"  {one.namespace:8} {shown[one.node]}  {one.node}{note}")
    typer.echo("Edges:")
    for edge in found.edges:
        why = f" {edge.reason}" if edge.reason else ""
        typer.echo(
            f"  {edge.a} - {edge.b}: {edge.standing}{why}, {edge.rule} {edge.weight:g}, "
            f"{edge.evidence}"
        )
    typer.echo("Merge log, the newest first:")
    _tell(found.merges, as_json=False)


def _tell(lines: "list[Merge]", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], ensure_ascii=False))
        return
    for line in lines:
        link = "into" if line.action == "merge" else "from"
        undone = f", taken back by {line.undone_by}" if line.undone_by else ""
        typer.echo(
            f"  {line.number}: {line.action} {line.other} {link} {line.survivor}, by {line.actor}, "
            f"{line.at[:16]}{undone}"
        )
