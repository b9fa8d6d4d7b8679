"""`regulars understand`: which groups customers form, what they are worth, who may leave."""

import typer

from regulars.serve.cli.stations.understand import segment
from regulars.serve.cli.stations.understand.churn import churn
from regulars.serve.cli.stations.understand.value import value

app = typer.Typer(no_args_is_help=True)
app.add_typer(segment.app, name="segment")
app.command("value")(value)
app.command("churn")(churn)


@app.callback()
def understand() -> None:
    """Which groups customers form, what they are worth, and who may leave."""
