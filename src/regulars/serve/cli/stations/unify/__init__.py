"""`regulars unify`: who is who, and what is known of them."""

import typer

from regulars.serve.cli.stations.unify.identity import explain, merge, unmerge

app = typer.Typer(no_args_is_help=True)
app.command("merge")(merge)
app.command("unmerge")(unmerge)
app.command("explain")(explain)


@app.callback()
def unify() -> None:
    """Who is who, and what is known of them."""
