"""`regulars reach domain-check` and `receive`: may the domain send, and what came back by mail."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from regulars.errors import InputError
from regulars.serve.cli.exits import ExitCode
from regulars.serve.cli.stations.reach.opening import AsJson, Folder, as_json, open_shop

ChannelName = Annotated[str, typer.Argument(help="Channel, as regulars.toml names it.")]


def domain_check(
    channel: ChannelName = "email",
    *,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Ask DNS whether the domain of an e-mail channel may send: SPF, DKIM, DMARC, MX.

    Ends with exit code 1 when a check failed.
    """
    found = open_shop(folder).check_domain(channel)
    if print_json:
        typer.echo(as_json(found))
    else:
        for one in found:
            typer.echo(f"{one.level:<5} {one.record:<6} {one.says}")
            if one.todo:
                typer.echo(f"{'':<12} -> {one.todo}")
    if any(one.level == "fail" for one in found):
        raise typer.Exit(ExitCode.FAILED_CHECK)


def receive(
    channel: ChannelName,
    file: Annotated[
        Path | None, typer.Argument(help="File of what came; standard input when left out.")
    ] = None,
    *,
    folder: Folder = Path(),
    print_json: AsJson = False,
) -> None:
    """Take in what came back for a channel, such as a bounce a mail server pipes in.

    The same again changes nothing. Only for forms that carry no signature of the moment.
    """
    from regulars.reach.receipts.service import Covering, take  # noqa: PLC0415 - slow

    shop, now = open_shop(folder), datetime.now(UTC)
    try:
        raw = sys.stdin.buffer.read() if file is None else file.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read {file}: {error.strerror}; give the file of one letter or report"
        ) from error
    part = shop.settings.channels.get(channel)
    # Whoever can run commands here vouches for what is handed in.
    word = os.environ.get(part.receipt_secret_env, "") if part else ""
    receipts = shop.read_receipts(channel, raw, {"?key": word}, now=now)
    covering = Covering(shop.protector.token, shop.protector.seal)
    taken = take(shop.state, channel, receipts, covering=covering, now=now, raw=raw)
    if print_json:
        typer.echo(as_json(taken))
    else:
        typer.echo(f"{taken.received} receipts, {taken.again} known, {taken.waiting} waiting")
