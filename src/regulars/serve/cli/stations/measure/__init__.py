"""`regulars measure`: effects and experiments, and how the shop is doing."""

import typer

from regulars.serve.cli.stations.measure import (
    attributing,
    causing,
    experimenting,
    reporting,
    scoring,
)

app = typer.Typer(no_args_is_help=True)
app.add_typer(causing.app)
app.add_typer(experimenting.experiments, name="experiments")
app.add_typer(scoring.app)
app.add_typer(reporting.app)
app.add_typer(attributing.app)


@app.callback()
def measure() -> None:
    """What contacts and experiments caused, and how the shop is doing."""
