"""`regulars unify`: who is who, and what is known of them."""

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def unify() -> None:
    """Who is who, and what is known of them."""
