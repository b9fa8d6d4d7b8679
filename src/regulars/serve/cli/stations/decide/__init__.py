"""`regulars decide`: offers, who gets what, and where the money goes."""

import typer

from regulars.serve.cli.stations.decide import assigning, channels, obeying, planning, policies
from regulars.serve.cli.stations.decide.offers import offer

app = typer.Typer(no_args_is_help=True)
app.add_typer(assigning.app)
app.add_typer(planning.app)
app.add_typer(obeying.app)
app.add_typer(channels.app)
app.add_typer(offer, name="offer")
app.add_typer(policies.policy, name="policy")


@app.callback()
def decide() -> None:
    """Offers, who gets what, and where the money goes."""
