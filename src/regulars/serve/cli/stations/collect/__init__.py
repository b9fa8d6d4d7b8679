"""`regulars collect`: events and files become typed facts."""

import typer

from regulars.serve.cli.stations.collect.importing import import_

app = typer.Typer(no_args_is_help=True)
app.command("import")(import_)


@app.callback()
def collect() -> None:
    """Events and files become typed facts."""
