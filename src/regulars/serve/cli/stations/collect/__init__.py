"""`regulars collect`: events and files become typed facts."""

import typer

from regulars.serve.cli.stations.collect.devices import epcis, mqtt
from regulars.serve.cli.stations.collect.importing import import_
from regulars.serve.cli.stations.collect.plan import plan
from regulars.serve.cli.stations.collect.pulling import pull, sources
from regulars.serve.cli.stations.collect.sending import key, keys, revoke_key, serve
from regulars.serve.cli.stations.collect.storing import drain, export, ledger, replay

app = typer.Typer(no_args_is_help=True)
app.command("import")(import_)
app.command("sources")(sources)
app.command("pull")(pull)
app.command("epcis")(epcis)
app.command("mqtt")(mqtt)
app.command("serve")(serve)
app.command("key")(key)
app.command("keys")(keys)
app.command("revoke-key")(revoke_key)
app.command("drain")(drain)
app.command("ledger")(ledger)
app.command("replay")(replay)
app.command("export")(export)
app.add_typer(plan, name="plan")


@app.callback()
def collect() -> None:
    """Events and files become typed facts."""
