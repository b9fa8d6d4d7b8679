"""`regulars reach journey`: journeys as files, tried before anybody comes in."""

import typer

from regulars.serve.cli.stations.reach.journeys.templates import templates

journey = typer.Typer(no_args_is_help=True, help="Journeys as files: begin one, try it.")
journey.command("templates")(templates)


@journey.callback()
def _journey() -> None:
    """Journeys as files: begin one, try it."""
