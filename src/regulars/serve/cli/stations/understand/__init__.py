"""`regulars understand`: which groups customers form, and what they are worth."""

import typer

from regulars.serve.cli.stations.understand import segment

app = typer.Typer(no_args_is_help=True)
app.add_typer(segment.app, name="segment")


@app.callback()
def understand() -> None:
    """Which groups customers form, and what they are worth."""
