"""`regulars reach`: campaigns, the send ledger and the emergency stop."""

import typer

from regulars.serve.cli.stations.reach.accounting import channels, explain, ledger, stuck
from regulars.serve.cli.stations.reach.campaigns import campaign
from regulars.serve.cli.stations.reach.contents import content
from regulars.serve.cli.stations.reach.coupons import coupon
from regulars.serve.cli.stations.reach.creators import creator
from regulars.serve.cli.stations.reach.journeys import journey
from regulars.serve.cli.stations.reach.points import points
from regulars.serve.cli.stations.reach.receiving import domain_check, receive
from regulars.serve.cli.stations.reach.sending import remind, send, tick
from regulars.serve.cli.stations.reach.stopping import pause, resume, stop_all
from regulars.serve.cli.stations.reach.surveying import links, survey, task

app = typer.Typer(no_args_is_help=True)
app.add_typer(campaign, name="campaign")
app.add_typer(content, name="content")
app.add_typer(journey, name="journey")
app.add_typer(coupon, name="coupon")
app.add_typer(creator, name="creator")
app.add_typer(survey, name="survey")
app.add_typer(task, name="task")
app.add_typer(links, name="links")
app.add_typer(points, name="points")
app.command("send")(send)
app.command("tick")(tick)
app.command("ledger")(ledger)
app.command("explain")(explain)
app.command("stuck")(stuck)
app.command("remind")(remind)
app.command("channels")(channels)
app.command("domain-check")(domain_check)
app.command("receive")(receive)
app.command("pause")(pause)
app.command("resume")(resume)
app.command("stop")(stop_all)


@app.callback()
def reach() -> None:
    """Campaigns, the send ledger and the emergency stop."""
