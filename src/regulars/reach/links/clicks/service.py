"""Clicks: signed addresses are answered, every request is kept, and what counts becomes facts."""

import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from regulars.errors import OutsideError
from regulars.ports.lake import Lake
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.links.creator_marks import (
    PARAMETER,
    is_of_creator,
    judged_together,
    key_of_clicks,
    mark_of_click,
)
from regulars.reach.links.marking import with_parameter
from regulars.reach.links.scanners import CLICK, OPEN, TRAP, Click, read_rules, verdicts
from regulars.reach.links.service import DESTINATION, NOWHERE, Links, destination_id, key_text
from regulars.reach.links.tokens import Purpose, Standing

SHORT_LETTERS = 11
MOST_AGENT = 300
FACTS = "contact_outcomes"
APPLICATION = "links"
_KIND = {CLICK: "clicked", OPEN: "opened"}
_SQL = Queries(__package__)
_LOG = logging.getLogger("regulars.reach.links")


@dataclass(frozen=True)
class Request:
    """How somebody asked for a signed address.

    Attributes:
        at: The moment, aware.
        method: GET or HEAD.
        agent: User-Agent sent.
        address: Network address it came from.
        is_prefetch: True when the client said that it fetches ahead.
    """

    at: datetime
    method: str = "GET"
    agent: str = ""
    address: str = ""
    is_prefetch: bool = False


@dataclass(frozen=True)
class Answer:
    """What became of a request for a signed address.

    Attributes:
        standing: Whether the token was this workspace's.
        url: Where to send whoever asked; "" for nowhere.
    """

    standing: Standing
    url: str = ""


@dataclass(frozen=True)
class LinkCount:
    """How one destination did.

    Attributes:
        destination_id: Hash of the address.
        url: Where it leads.
        requests: Everything that asked for it, programs too.
        clicks: What counts as a customer's click.
        contacts: Contacts with at least one.
    """

    destination_id: str
    url: str
    requests: int
    clicks: int
    contacts: int


def follow(state: State, links: Links, token: str, asked: Request) -> Answer:
    """Answer a request for a click address, and log it as it came.

    Args:
        state: The workspace's state.
        links: The workspace's links.
        token: What stood in the address, or its short form.
        asked: How it was asked for.

    Returns:
        Where it leads: nowhere but to what was signed. Behind a creator's link the address also
        names the click, so that the page can tell who followed it.
    """
    if len(token) == SHORT_LETTERS:
        with state.reading() as opened:
            known = opened.all(_SQL["short"], code=token)
        token = known[0]["token"] if known else token
    claim = links.read(Purpose.CLICK, token)
    if claim.standing is not Standing.GENUINE:
        return Answer(claim.standing)
    wanted, key = claim.body[:DESTINATION], claim.body[DESTINATION:]
    if wanted == NOWHERE:
        _log(state, links, TRAP, key_text(key), "", asked)
        return Answer(claim.standing)
    with state.reading() as opened:
        known = opened.all(_SQL["destination"], destination_id=wanted.hex())
    # The table is not trusted: what it says must be what was signed.
    if not known or destination_id(known[0]["url"]) != wanted:
        return Answer(Standing.FOREIGN)
    name, url = key_text(key), known[0]["url"]
    if is_of_creator(name):
        name = key_of_clicks(name, links.hidden(asked.address), asked.at.date().isoformat())
    click_id = _log(state, links, CLICK, name, wanted.hex(), asked)
    if click_id and is_of_creator(name):
        url = with_parameter(url, PARAMETER, mark_of_click(click_id))
    return Answer(claim.standing, url)


def opened_by(state: State, links: Links, token: str, asked: Request) -> Standing:
    """Log that the picture of a message was asked for.

    Returns:
        Whether the token was this workspace's; nothing is logged otherwise.
    """
    claim = links.read(Purpose.OPEN, token)
    if claim.standing is Standing.GENUINE:
        _log(state, links, OPEN, key_text(claim.body), "", asked)
    return claim.standing


def settle_clicks(state: State, lake: Lake, *, now: datetime) -> int:
    """Judge the clicks that are old enough, and make facts of those that count.

    Killed anywhere and called again it adds no fact twice: a batch is numbered before it is
    written to the lake, and the lake takes a number once.

    Args:
        state: The workspace's state.
        lake: Takes the facts `clicked` and `opened` of table `contact_outcomes`.
        now: The moment, aware.

    Returns:
        Facts written.
    """
    written = _publish(state, lake)
    until = now - timedelta(seconds=read_rules().settle_seconds)
    with state.transaction() as opened:
        rows = opened.all(_SQL["unsettled"], until=_text(until))
        if not rows:
            return written
        [last] = opened.all(_SQL["batch"])
        keys = sorted({row["contact_key"] for row in rows})
        at = {
            row["key"]: datetime.fromisoformat(row["at"])
            for row in opened.all(_SQL["handed_over"], keys=json.dumps(keys))
            if row["at"]
        }
        every = [*rows, *_beside(opened, rows)]
        opened.many(_SQL["settle"], _judged(every, at, until=until, batch=last["batch"] + 1))
    return written + _publish(state, lake)


def counts(state: State) -> list[LinkCount]:
    """Tell how every destination did, the most clicked first."""
    with state.reading() as opened:
        rows = opened.all(_SQL["by_destination"])
    return [LinkCount(**{**row, "clicks": int(row["clicks"] or 0)}) for row in rows]


def requests_by_verdict(state: State) -> list[dict[str, Any]]:
    """Count every request by kind and verdict: what was filtered, and why."""
    with state.reading() as opened:
        return opened.all(_SQL["by_verdict"])


def _beside(opened: Transaction, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give what else was asked for of creators' links around clicks that are to be judged."""
    fresh = [row for row in rows if row["batch"] is None and is_of_creator(row["contact_key"])]
    if not fresh:
        return []
    within = timedelta(seconds=read_rules().sweep_seconds)
    moments = [datetime.fromisoformat(row["at"]) for row in fresh]
    since, until = _text(min(moments) - within), _text(max(moments) + within)
    known, addresses = {row["click_id"] for row in rows}, {row["address"] for row in fresh}
    return [
        row
        for row in opened.all(_SQL["of_creators"], since=since, until=until)
        if row["address"] in addresses and row["click_id"] not in known
    ]


def _judged(
    rows: Sequence[Mapping[str, Any]], at: Mapping[str, datetime], *, until: datetime, batch: int
) -> list[dict[str, Any]]:
    """Judge what belongs together; what was judged before stays as it is."""
    together: dict[str, list[Click]] = {}
    for row in rows:
        group = judged_together(row["contact_key"], row["address"])
        together.setdefault(group, []).append(_click(row))
    settled = {row["click_id"] for row in rows if row["batch"] is not None}
    found = []
    for key, clicks in together.items():
        for click_id, verdict in verdicts(clicks, handed_over_at=at.get(key)).items():
            if click_id not in settled:
                found.append({"click_id": click_id, "verdict": verdict, "batch": batch})
    ripe = {row["click_id"] for row in rows if datetime.fromisoformat(row["at"]) <= until}
    return [row for row in found if row["click_id"] in ripe]


def _publish(state: State, lake: Lake) -> int:
    """Write the batches that were numbered and not yet written, in order."""
    with state.reading() as opened:
        [last] = opened.all(_SQL["batch"])
        done = opened.all(_SQL["last_settled"])
    first = int(done[0]["value"]) + 1 if done else 1
    written = 0
    for batch in range(first, last["batch"] + 1):
        with state.reading() as opened:
            rows = opened.all(_SQL["counted"], batch=batch)
        facts = [
            {
                "contact_key": row["contact_key"],
                "customer_id": row["customer_id"],
                "kind": _KIND[row["kind"]],
                "occurred_at": datetime.fromisoformat(row["at"]),
            }
            for row in rows
        ]
        if facts:
            data = pa.Table.from_pylist(facts, schema=lake.schema(FACTS))
            if lake.append(FACTS, data, application=APPLICATION, version=batch):
                written += len(facts)
        with state.transaction() as opened:
            opened.run(_SQL["move_settled"], value=str(batch))
    return written


def _log(state: State, links: Links, kind: str, key: str, destination: str, asked: Request) -> str:
    """Keep a request; gives its number, "" when it could not be kept."""
    row = {
        "click_id": secrets.token_hex(10),
        "contact_key": key,
        "kind": kind,
        "destination_id": destination,
        "at": _text(asked.at),
        "method": asked.method,
        "agent": asked.agent[:MOST_AGENT],
        "address": links.hidden(asked.address),
        "is_prefetch": int(asked.is_prefetch),
    }
    try:
        with state.transaction() as opened:
            opened.run(_SQL["add_click"], **row)
    except OutsideError as error:
        # Whoever clicked must arrive, also while the store is busy.
        _LOG.warning("a %s was not kept: %s", kind, error)
        return ""
    return str(row["click_id"])


def _click(row: Mapping[str, Any]) -> Click:
    return Click(
        row["click_id"],
        row["contact_key"],
        row["kind"],
        row["destination_id"],
        datetime.fromisoformat(row["at"]),
        row["method"],
        row["agent"],
        row["address"],
        bool(row["is_prefetch"]),
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
