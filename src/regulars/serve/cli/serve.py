"""`regulars serve`: serve the console and the API of a workspace or a demo."""

import secrets
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regulars.errors import InputError

if TYPE_CHECKING:
    from regulars.serve.http.door.workspaces import Workspace

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
) -> None:
    """Serve the console.

    Behind a proxy that ends HTTPS on this machine, cookies are bound to HTTPS by themselves.
    """
    import uvicorn  # noqa: PLC0415 - slow to import

    from regulars.govern.access.service import list_users  # noqa: PLC0415
    from regulars.serve.http.door.workspaces import open_site  # noqa: PLC0415
    from regulars.serve.web import make_web  # noqa: PLC0415

    site = open_site(folder)
    listening = _listen(host, port)
    is_new = not list_users(site.home.state)
    if demo_user and is_new:
        _add_demo_user(site.home)
    elif is_new:
        typer.echo(
            "Nobody can sign in yet; run: "
            f"regulars govern user add NAME --role admin --dir {site.home.folder}"
        )
    elif demo_user:
        typer.echo(
            "Sign in with the password shown before, or set a new one: "
            f"regulars govern user password demo --dir {site.home.folder}"
        )
    address = f"http://{host}:{listening.getsockname()[1]}/"
    typer.echo(f"Serving {', '.join(site.by_name)} at {address} (Ctrl-C ends it)")
    # Addresses of customers' pages stay out of the log: access_log is off.
    config = uvicorn.Config(
        make_web(site), log_level="warning", access_log=False, server_header=False
    )
    uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    """Open the socket first, so that the address printed is one that answers."""
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise InputError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port"
        ) from error


def _add_demo_user(home: "Workspace") -> None:
    from regulars.govern.access.service import add_user  # noqa: PLC0415
    from regulars.govern.audit.service import anchor  # noqa: PLC0415

    password, now = secrets.token_urlsafe(12), datetime.now(UTC)
    add_user(
        home.state, name="demo", role="admin", password=password, actor="command line", now=now
    )
    anchor(home.state, folder=home.folder, at=now)
    typer.echo(f"Sign in as demo with the password {password} (shown only now)")
