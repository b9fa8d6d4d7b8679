"""`regulars collect epcis`, `mqtt`: what tills and sensors tell, taken in like every event."""

import json
import signal
import threading
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Annotated

import typer

from regulars.errors import InputError
from regulars.serve.cli.files import text_of

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.collect.sensors.sending import Sending

Folder = Annotated[Path, typer.Option("--dir", help="The workspace folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Server = Annotated[
    str, typer.Option(help="Send to a running server: http://127.0.0.1:8000. [default: none]")
]
Key = Annotated[
    str,
    typer.Option(envvar="REGULARS_WRITE_KEY", help="A write key, for --server.", show_envvar=True),
]


def epcis(
    file: Annotated[Path, typer.Argument(help="An EPCIS 2.0 document in JSON.")],
    *,
    source: Annotated[str, typer.Option(help="Name of the source.")] = "epcis",
    server: Server = "",
    key: Key = "",
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Take in the events of an EPCIS 2.0 document; sales and returns become orders.

    Taking the same document in again changes nothing.
    """
    from regulars.collect.commerce.epcis import epcis_events, segment_event  # noqa: PLC0415

    shop = _open(folder)
    events = [segment_event(event) for event in epcis_events(file.read_bytes())]
    sending = _sending(shop, source, server, key)
    try:
        taken = sending.send(events)
    finally:
        sending.close()
    if as_json:
        typer.echo(json.dumps({"file": file.name, "source": source, "events": taken}))
        return
    typer.echo(f"{taken:,} events of {file.name} are in the log of {source}")


def mqtt(
    *,
    broker: Annotated[
        str, typer.Option(envvar="REGULARS_BROKER", help="mqtt://user:password@host:1883.")
    ],
    topics: Annotated[Path, typer.Option(help="How topics are read: a TOML file.")],
    source: Annotated[str, typer.Option(help="Name of the source.")] = "sensors",
    server: Server = "",
    key: Key = "",
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Follow sensors at an MQTT broker until interrupted; each message is acknowledged when safe.

    Sensors that can tell who somebody is need a recorded legal basis.
    """
    from regulars.collect.sensors import topic_rules  # noqa: PLC0415 - slow to import
    from regulars.collect.sensors.subscribing import broker_at, follow_topics  # noqa: PLC0415
    from regulars.govern.legal_basis.service import require_legal_basis  # noqa: PLC0415

    shop = _open(folder)
    rules = topic_rules(text_of(topics), topics.name)
    for kind in sorted({rule.kind for rule in rules}):
        require_legal_basis(shop.state, source=source, kind=kind)
    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stop.set())
    sending = _sending(shop, source, server, key)
    try:
        followed = follow_topics(
            broker_at(broker),
            rules,
            sending,
            client_id=f"regulars-{shop.folder.resolve().name}-{source}",
            clock=lambda: datetime.now(UTC),
            stop=stop,
        )
    finally:
        sending.close()
    if as_json:
        typer.echo(json.dumps({"source": source} | asdict(followed)))
        return
    typer.echo(
        f"{followed.messages:,} messages taken, {followed.strays:,} of topics without a rule"
    )


def _sending(shop: "App", source: str, server: str, key: str) -> "Sending":
    from regulars.collect.sensors.sending import LogSending, ServerSending  # noqa: PLC0415

    if server:
        if not key:
            raise InputError("--server needs --key; give one out: regulars collect key NAME")
        return ServerSending(server, key)
    return LogSending(
        shop.folder, shop.settings.ingest, source=source, clock=lambda: time_ns() // 1000
    )


def _open(folder: Path) -> "App":
    from regulars.app import open_app  # noqa: PLC0415 - slow to import

    return open_app(folder)
