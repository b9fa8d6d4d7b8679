"""`regulars reach journey templates`: journeys ready to use, and what each needs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from regulars.serve.cli.stations.reach.opening import AsJson, Folder, as_json, open_shop


def templates(
    name: Annotated[str, typer.Argument(help="One template; all when left out.")] = "",
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="TOML file to write the journey to.")
    ] = None,
    channel: Annotated[
        list[str] | None, typer.Option(help="Channel of its messages, the preferred one first.")
    ] = None,
    offer: Annotated[str, typer.Option(help="Offer its messages carry.")] = "",
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """List templates, tell what one needs and lacks here, or write it as files to edit."""
    from regulars.reach.journeys.templates.catalogue import (  # noqa: PLC0415
        find_template,
        list_templates,
    )
    from regulars.serve.authoring.beginning import check_template, write_files  # noqa: PLC0415

    shop = open_shop(folder)
    words = "zh" if shop.settings.retailer.locale.startswith("zh") else "en"
    if out is not None:
        written = write_files(shop, name, out, channels=channel or [], offer=offer)
        if print_json:
            typer.echo(as_json({"written": [str(path) for path in written]}))
            return
        typer.echo(f"{written[0]} and {len(written) - 1} contents in {written[1].parent}")
        typer.echo("keep the contents: regulars reach content put FILE; then publish the journey")
        return
    chosen = [find_template(name)] if name else list_templates()
    now = datetime.now(UTC)
    checked = {one.name: check_template(shop, one, now=now) for one in chosen}
    if print_json:
        typer.echo(as_json([
            {
                "name": one.name,
                "title": one.title,
                "about": one.about,
                "offer": one.takes.value,
                "needs": checked[one.name],
            }
            for one in chosen
        ]))  # fmt: skip
        return
    for one in chosen:
        missing = [c for c in checked[one.name] if not c.is_met and not c.is_optional]
        state = "ready" if not missing else f"{len(missing)} missing"
        typer.echo(f"{one.name:<16} {state:<10} {one.title[words]}")
        if not name:
            continue
        typer.echo(one.about[words])
        for need in checked[one.name]:
            count = f"{need.found:,}" + (f" of {need.of:,}" if need.of is not None else "")
            sign = "+" if need.is_met else "?" if need.is_optional else "-"
            typer.echo(f"  {sign} {need.kind} {need.name} {count}: {need.words[words]}")
            if not need.is_met:
                typer.echo(f"    {need.advice[words]}")
