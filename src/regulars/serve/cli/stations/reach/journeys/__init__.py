"""`regulars reach journey`: journeys as files, tried before anybody comes in, and led."""

import typer

from regulars.serve.cli.stations.reach.journeys.looking import list_all, show, where
from regulars.serve.cli.stations.reach.journeys.publishing import (
    diff,
    pause,
    publish,
    put,
    resume,
    rollback,
    stop,
    submit,
)
from regulars.serve.cli.stations.reach.journeys.simulating import simulate
from regulars.serve.cli.stations.reach.journeys.templates import templates

journey = typer.Typer(no_args_is_help=True, help="Journeys as files: begin, try, publish one.")
journey.command("templates")(templates)
journey.command("simulate")(simulate)
journey.command("put")(put)
journey.command("list")(list_all)
journey.command("show")(show)
journey.command("where")(where)
journey.command("diff")(diff)
journey.command("submit")(submit)
journey.command("publish")(publish)
journey.command("rollback")(rollback)
journey.command("pause")(pause)
journey.command("resume")(resume)
journey.command("stop")(stop)


@journey.callback()
def _journey() -> None:
    """Journeys as files: begin, try, publish one."""
