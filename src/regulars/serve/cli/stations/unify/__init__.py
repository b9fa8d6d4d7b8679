"""`regulars unify`: who is who, and what is known of them."""

import typer

from regulars.serve.cli.stations.unify import profiling, resolving, tagging
from regulars.serve.cli.stations.unify.identity import explain, merge, unmerge

app = typer.Typer(no_args_is_help=True)
app.command("merge")(merge)
app.command("unmerge")(unmerge)
app.command("explain")(explain)
app.add_typer(resolving.app)
app.add_typer(profiling.app, name="profile")
app.add_typer(tagging.app, name="tag")


@app.callback()
def unify() -> None:
    """Who is who, and what is known of them."""
