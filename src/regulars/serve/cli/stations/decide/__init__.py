"""`regulars decide`: who gets what, and where the money goes."""

import typer

from regulars.serve.cli.stations.decide import assigning

app = typer.Typer(no_args_is_help=True)
app.add_typer(assigning.app)


@app.callback()
def decide() -> None:
    """Who gets what, and where the money goes."""
