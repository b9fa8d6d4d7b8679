"""A real PostgreSQL server in a temporary folder, for tests, proofs and benchmarks."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from regulars.errors import NotReady

USER = "postgres"
_PROGRAMS = Path("/usr/lib/postgresql")
# Where only processes die and never the machine, nothing needs to wait for the disk.
_CARELESS = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


def server_programs() -> Path | None:
    """Find the newest PostgreSQL server there is.

    Returns:
        Folder of its programs; None when there is none.
    """
    found = sorted(_PROGRAMS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    beside = shutil.which("initdb")
    return Path(beside).resolve().parent if beside else None


class Server:
    """A running server.

    Attributes:
        port: Port it listens on, at 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        """Remember where it listens."""
        self.port = port
        self._made = 0

    def new_database(self, *, like: str = "template1") -> str:
        """Make an empty database, or a copy of one.

        Args:
            like: Name of the database to copy; nobody may be connected to it.

        Returns:
            Its address.
        """
        import psycopg  # noqa: PLC0415 - only those who have a server need it

        self._made += 1
        name = f"shop_{os.getpid()}_{self._made}"
        with psycopg.connect(self.url(USER), autocommit=True) as opened:
            opened.execute(
                psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    psycopg.sql.Identifier(name), psycopg.sql.Identifier(like)
                )
            )
        return self.url(name)

    def url(self, database: str) -> str:
        """Give the address of a database."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"


@contextmanager
def running_server(*, is_durable: bool = False) -> Generator[Server]:
    """Run a server until the block ends.

    Args:
        is_durable: True to wait for the disk as PostgreSQL does by default.

    Yields:
        The server.

    Raises:
        NotReady: PostgreSQL is not installed, or did not start.
    """
    programs = server_programs()
    if programs is None:
        raise NotReady("no PostgreSQL server was found; run: apt-get install -y postgresql")
    with tempfile.TemporaryDirectory(prefix="regulars-pg-") as name:
        home = Path(name)
        data = home / "data"
        if os.geteuid() == 0:
            # The server refuses to run as root.
            os.chown(home, pwd.getpwnam(USER).pw_uid, pwd.getpwnam(USER).pw_gid)
        making = ("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        _run(programs / "initdb", "-D", data, "-U", USER, *making)
        port = _free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        careless = "" if is_durable else " ".join(("", *_CARELESS))
        control = programs / "pg_ctl"
        _run(control, "-D", data, "-l", home / "log", "-w", "-o", options + careless, "start")
        try:
            yield Server(port)
        finally:
            _run(control, "-D", data, "-m", "immediate", "-w", "stop")


def _run(program: Path, *words: str | Path) -> None:
    as_user: Sequence[str] = ("runuser", "-u", USER, "--") if os.geteuid() == 0 else ()
    ended = subprocess.run(
        [*as_user, str(program), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    if ended.returncode:
        raise NotReady(
            f"{program.name} ended with {ended.returncode}: {ended.stderr.strip()[-500:]}; see "
            "that PostgreSQL is installed whole: apt-get install -y postgresql"
        )


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])
