"""`regulars collect drain`, `ledger`, `replay`, `export`: from the log to tables, and the count."""

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from regulars.errors import InputError, Transient

ACTOR = "command line"
COUNTS = ("received", "stored", "duplicate", "quarantined", "suppressed")
EXPORTED = ("source", "message_id", "type", "event", "received_at")
Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def drain(
    *,
    folder: Folder = Path(),
    forever: Annotated[
        bool, typer.Option("--forever", help="Go on with what comes, until interrupted.")
    ] = False,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes; each drains its own partitions.")
    ] = 1,
    partition: Annotated[
        list[int] | None, typer.Option(help="Only this partition of the log; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Store every event acknowledged so far; each once, also after a crash.

    Where a server drains the workspace already, wait until it has.
    """
    from regulars.app import open_app  # noqa: PLC0415 - slow to import
    from regulars.serve.ingest.storing import store_all  # noqa: PLC0415

    app = open_app(folder)
    if forever:
        _go_on(folder)
        return
    found = _by_workers(folder, workers) if workers > 1 else store_all(app, partition)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        typer.echo(f"{found['events']:,} events decided; see: regulars collect ledger")


def _go_on(folder: Path) -> None:
    from regulars.serve.ingest.storing import run_forever, stop_on_signals  # noqa: PLC0415

    stop = threading.Event()
    stop_on_signals(stop)
    run_forever(folder, stop)


def _by_workers(folder: Path, workers: int) -> dict[str, int]:
    """Drain by several processes; a partition, so every id, is in the hands of just one."""
    from regulars.app import open_app  # noqa: PLC0415
    from regulars.collect.ingest.drain.partition import LOG_FOLDER  # noqa: PLC0415
    from regulars.collect.ingest.log.recovery import shape_log  # noqa: PLC0415

    app = open_app(folder)
    partitions = range(shape_log(folder / LOG_FOLDER, app.settings.ingest.partitions))
    # Made here once, so that the processes do not race to make them.
    _ = app.state, app.protector, app.profiles
    main = "from regulars.serve.cli.main import main; main()"
    base = [sys.executable, "-c", main, "collect", "drain", "--json"]
    shares = [list(partitions)[n::workers] for n in range(min(workers, len(partitions)))]
    running = [
        subprocess.Popen(
            [*base, "--dir", str(folder), *(f"--partition={p}" for p in share)],
            stdout=subprocess.PIPE,
        )
        for share in shares
    ]
    answers = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise Transient("a drain process failed, its message is above; run the same command again")
    found = [json.loads(answer) for answer in answers]
    return {name: sum(one[name] for one in found) for name in ("events", "not_followed")}


def ledger(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Tell what came of every event received, overall and per source."""
    from regulars.app import open_app  # noqa: PLC0415
    from regulars.collect.ingest.drain.ledger.service import totals  # noqa: PLC0415

    found = totals(open_app(folder).state)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    rows: list[tuple[str, dict[str, Any]]] = [*found["sources"].items(), ("all", found)]
    width = max(len("source"), *(len(name) for name, _ in rows))
    typer.echo("  ".join(["source".ljust(width), *(name.rjust(12) for name in COUNTS)]))
    for source, counts in rows:
        cells = (f"{counts[name]:,}".rjust(12) for name in COUNTS)
        typer.echo("  ".join([source.ljust(width), *cells]))


def replay(
    *,
    folder: Folder = Path(),
    source: Annotated[str | None, typer.Option(help="Only events of this source.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only events refused for this reason.")] = None,
    as_json: AsJson = False,
) -> None:
    """Decide refused events again, after a fix; none is stored twice."""
    from regulars.app import open_app  # noqa: PLC0415
    from regulars.collect.ingest.drain.replay.service import (  # noqa: PLC0415
        Asking,
        await_replays,
        fates_of_replays,
        request_replay,
    )
    from regulars.serve.ingest.storing import store_all  # noqa: PLC0415

    app = open_app(folder)
    store_all(app)
    asking = Asking(ACTOR, datetime.now(UTC))
    refused = request_replay(app.lake, app.state, asking, source=source, reason=reason)
    store_all(app)
    await_replays(app.state)
    # Counted by what was asked for: meanwhile a server may have stored other events.
    fates = fates_of_replays(app.state, refused)
    moved = {name: fates.get(name, 0) for name in ("stored", "duplicate", "suppressed")}
    asked = len(refused)
    found = {"asked": asked, **moved, "still_refused": asked - sum(moved.values())}
    if as_json:
        typer.echo(json.dumps(found))
    else:
        typer.echo(
            f"{asked:,} events decided again: {found['stored']:,} stored, {found['duplicate']:,} "
            f"known already, {found['still_refused']:,} refused again"
        )


def export(
    what: Annotated[str, typer.Argument(help="What to export: events.")],
    *,
    out: Annotated[Path, typer.Option(help="The Parquet file to write.")],
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Write one row per stored event: source, message_id, type, event, received_at."""
    from regulars.app import open_app  # noqa: PLC0415
    from regulars.collect.ingest.drain.tables.exporting import export_rows  # noqa: PLC0415

    if what != "events":
        raise InputError(f"cannot export {what!r}; wanted: events")
    if out.suffix.lower() != ".parquet" or not out.parent.is_dir():
        raise InputError(f"--out is {out}, must be a .parquet file in a folder that is there")
    lake = open_app(folder).lake
    rows = export_rows(lake.files("events"), lake.schema("events"), EXPORTED, out)
    if as_json:
        typer.echo(json.dumps({"rows": rows, "file": str(out)}))
    else:
        typer.echo(f"{rows:,} events in {out}")
