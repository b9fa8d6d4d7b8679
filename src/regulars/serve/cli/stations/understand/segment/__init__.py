"""`regulars understand segment`: audiences by rule, counted, listed, kept and followed."""

import typer

from regulars.serve.cli.stations.understand.segment.following import export, history, refresh
from regulars.serve.cli.stations.understand.segment.keeping import (
    delete,
    list_all,
    save,
    show,
    undo,
)
from regulars.serve.cli.stations.understand.segment.looking import count, members, overlap, starts

app = typer.Typer(no_args_is_help=True, help="Audiences: customers found by rules kept as data.")
app.command("count")(count)
app.command("members")(members)
app.command("overlap")(overlap)
app.command("starts")(starts)
app.command("save")(save)
app.command("list")(list_all)
app.command("show")(show)
app.command("undo")(undo)
app.command("delete")(delete)
app.command("refresh")(refresh)
app.command("history")(history)
app.command("export")(export)


@app.callback()
def segment() -> None:
    """Audiences: customers found by rules kept as data."""
