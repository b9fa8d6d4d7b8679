"""`regulars adjust`: what was changed and why, channels left alone, which models serve."""

import typer

from regulars.serve.cli.stations.adjust import changes
from regulars.serve.cli.stations.adjust.models import models

app = typer.Typer(no_args_is_help=True)
app.add_typer(changes.app)
app.add_typer(models, name="models")


@app.callback()
def adjust() -> None:
    """What was changed and why, alerts, channels left alone, and which models serve."""
