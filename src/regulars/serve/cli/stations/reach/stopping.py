"""`regulars reach stop`, `pause` and `resume`: everything at once, or one campaign."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from regulars.serve.cli.stations.reach.opening import (
    ACTOR,
    CampaignId,
    Folder,
    keep_anchor,
    open_shop,
)


def stop_all(
    *,
    reason: Annotated[str, typer.Option(help="Why; shown until somebody resumes.")],
    folder: Folder = Path(),
) -> None:
    """Stop every contact at once, in running turns too."""
    from regulars.govern.policy.service import stop  # noqa: PLC0415

    shop = open_shop(folder)
    stop(shop.state, reason, actor=ACTOR, at=datetime.now(UTC))
    keep_anchor(shop)
    typer.echo("contacts are stopped; to go on run: regulars reach resume")


def pause(
    campaign: CampaignId,
    *,
    reason: Annotated[str, typer.Option(help="Why; shown until somebody resumes.")],
    folder: Folder = Path(),
) -> None:
    """Hold everything of one campaign that has not gone out yet."""
    from regulars.serve.sending import acting  # noqa: PLC0415

    acting.pause(open_shop(folder), campaign, reason=reason, actor=ACTOR, now=datetime.now(UTC))
    typer.echo(f"{campaign} is paused; to go on run: regulars reach resume {campaign}")


def resume(
    campaign: Annotated[
        str, typer.Argument(help="Id of a paused campaign; everything when left out.")
    ] = "",
    *,
    folder: Folder = Path(),
) -> None:
    """Let contacts go out again: after an emergency stop, or of one paused campaign."""
    from regulars.govern.policy.service import resume as resume_all  # noqa: PLC0415
    from regulars.serve.sending import acting  # noqa: PLC0415

    shop = open_shop(folder)
    if campaign:
        acting.resume(shop, campaign, actor=ACTOR, now=datetime.now(UTC))
        typer.echo(f"{campaign} goes on")
        return
    was_stopped = resume_all(shop.state, actor=ACTOR, at=datetime.now(UTC))
    keep_anchor(shop)
    typer.echo("contacts may go out again" if was_stopped else "contacts were not stopped")
