"""`regulars serve`: serve the console, the API and the doors events come in by, on one port."""

import os
import secrets
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from regulars.serve.http.door.workspaces import Site, Workspace
    from regulars.serve.ingest.wire import ShortWay

app = typer.Typer()


@app.command()
def serve(
    *,
    folder: Annotated[
        Path, typer.Option("--dir", help="A workspace, or a demo's folder.")
    ] = Path(),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    demo_user: Annotated[
        bool,
        typer.Option("--demo-user", help="Add user demo (admin) when there is no user yet."),
    ] = False,
    no_drain: Annotated[
        bool, typer.Option("--no-drain", help="Take events in but do not store them yet.")
    ] = False,
    no_ticker: Annotated[
        bool, typer.Option("--no-ticker", help="Hand no contacts over; leave it to others.")
    ] = False,
    tick_every: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Seconds between two looks at campaigns.")
    ] = 2.0,
) -> None:
    """Serve the console, take events in, and hand over contacts that are due.

    Behind a proxy that ends HTTPS on this machine, cookies are bound to HTTPS by themselves.
    """
    # Before numpy is loaded: many requests share the cores, and a threaded inverse of a hundred
    # rows spins for them where one core is done at once.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from regulars.serve.http.door.workspaces import open_site  # noqa: PLC0415 - slow to import

    site = open_site(folder)
    _see_to_users(site, demo_user=demo_user)
    with _ticking(site, every=tick_every) if not no_ticker else nullcontext():
        run_server(site, host=host, port=port, is_draining=not no_drain, has_console=True)


def run_server(site: "Site", *, host: str, port: int, is_draining: bool, has_console: bool) -> None:
    """Serve until told to end; print one line once connections are accepted.

    Args:
        site: The workspaces.
        host: Address to listen on.
        port: Port; 0 for any that is free.
        is_draining: Store what is taken in, by a process beside this one.
        has_console: Serve console and API too.
    """
    from regulars.serve.ingest.draining import draining  # noqa: PLC0415 - slow to import
    from regulars.serve.ingest.listening import listen, serve_workspaces  # noqa: PLC0415

    listening = listen(host, port)
    address = f"http://{host}:{listening.getsockname()[1]}/"
    workspaces = list(site.by_name.values())
    folders = [one.folder for one in workspaces]

    def ready() -> None:
        typer.echo(f"Serving {', '.join(site.by_name)} at {address} (Ctrl-C ends it)")

    with draining(folders) if is_draining else nullcontext():
        serve_workspaces(
            workspaces,
            listening=listening,
            ready=ready,
            rest=_console(site) if has_console else None,
            short_way=_decisions(site) if has_console else None,
        )


def _ticking(site: "Site", *, every: float) -> "AbstractContextManager[object]":
    from regulars.serve.sending.ticking.beside import ticking  # noqa: PLC0415 - slow to import

    places = [(one.folder, one.desk.wake) for one in site.by_name.values()]
    return ticking(places, every=every)


def _console(site: "Site") -> "ASGIApp":
    from regulars.serve.web import make_web  # noqa: PLC0415 - slow to import

    return make_web(site)


def _decisions(site: "Site") -> "ShortWay":
    from regulars.serve.console.words import REFUSALS  # noqa: PLC0415 - slow to import
    from regulars.serve.http.decide.short_way import DecideDoor  # noqa: PLC0415 - slow to import

    return DecideDoor(site, refusals=REFUSALS)


def _see_to_users(site: "Site", *, demo_user: bool) -> None:
    """Add the demo's user, or say how somebody gets to sign in."""
    from regulars.govern.access.service import list_users  # noqa: PLC0415 - slow to import

    is_new = not list_users(site.home.state)
    if demo_user and is_new:
        _add_demo_user(site.home)
    elif is_new:
        typer.echo(
            "Nobody can sign in yet; run: "
            f"regulars govern user add NAME --role admin --dir {site.home.folder}",
            err=True,
        )
    elif demo_user:
        typer.echo(
            "Sign in with the password shown before, or set a new one: "
            f"regulars govern user password demo --dir {site.home.folder}",
            err=True,
        )


def _add_demo_user(home: "Workspace") -> None:
    from regulars.govern.access.service import add_user  # noqa: PLC0415
    from regulars.govern.audit.service import anchor  # noqa: PLC0415

    password, now = secrets.token_urlsafe(12), datetime.now(UTC)
    add_user(
        home.state, name="demo", role="admin", password=password, actor="command line", now=now
    )
    anchor(home.state, folder=home.folder, at=now)
    typer.echo(f"Sign in as demo with the password {password} (shown only now)")
