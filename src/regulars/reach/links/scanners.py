"""Scanners: which clicks were made by a program that follows links, and not by a customer."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

import pyarrow as pa

from regulars.collect.anomalies.agents import kinds_of_agents

CLICK, OPEN, TRAP = "click", "open", "trap"


@dataclass(frozen=True)
class Click:
    """One request for a signed address, as it came.

    Attributes:
        click_id: Number of the request.
        contact_key: Key of the contact the address was made for.
        kind: "click", "open" (the picture) or "trap" (the link nobody sees).
        destination_id: Where it leads; "" for what leads nowhere.
        at: When, aware UTC.
        method: GET or HEAD.
        agent: User-Agent sent; "" when none.
        address: A keyed hash of the network address.
        is_prefetch: True when the client said that it fetches ahead.
    """

    click_id: str
    contact_key: str
    kind: str
    destination_id: str
    at: datetime
    method: str = "GET"
    agent: str = ""
    address: str = ""
    is_prefetch: bool = False


@dataclass(frozen=True)
class Rules:
    """What `scanners.toml` says."""

    agents: tuple[str, ...]
    proxies: tuple[str, ...]
    prefetch_seconds: float
    sweep_links: int
    sweep_seconds: float
    trap_seconds: float
    settle_seconds: float


@cache
def read_rules() -> Rules:
    """Read what the package declares: scanners.toml.

    Returns:
        The rules.

    Example:
        >>> read_rules().sweep_links
        3
    """
    given = tomllib.loads(files(__package__).joinpath("scanners.toml").read_text(encoding="utf-8"))
    return Rules(tuple(given.pop("agents")), tuple(given.pop("proxies")), **given)


def verdicts(
    clicks: Sequence[Click], *, handed_over_at: datetime | None, rules: Rules | None = None
) -> dict[str, str]:
    """Judge the requests of one contact, each by all of them.

    Args:
        clicks: Every request of one contact, in any order.
        handed_over_at: When the contact was handed over; None when that is not known.
        rules: What tells a program.

    Returns:
        By click_id "" for a customer's, else why it is not: head, prefetch, no_agent, agent,
        too_soon, trap or sweep.

    Source:
        Ours, because no single sign is enough: gateways name themselves, or are too fast, or
        go through all links, or take the one nobody sees.

    Example:
        >>> from datetime import UTC
        >>> at, browser = datetime(2026, 3, 2, tzinfo=UTC), "Mozilla/5.0 (X) AppleWebKit/537.36"
        >>> seen = [Click("a", "k", "click", "d", at, "HEAD"), Click("b", "k", "click", "d", at)]
        >>> verdicts([*seen, Click("c", "k", "click", "d", at, agent=browser)], handed_over_at=None)
        {'a': 'head', 'b': 'no_agent', 'c': ''}
    """
    rules = rules or read_rules()
    agents = _marked({click.agent for click in clicks}, rules)
    soon = timedelta(seconds=rules.prefetch_seconds)
    found = {}
    for click in clicks:
        reason = ""
        if click.method == "HEAD":
            reason = "head"
        elif click.is_prefetch:
            reason = "prefetch"
        elif not click.agent:
            reason = "no_agent"
        elif click.agent in agents and not _is_proxy(click, rules):
            reason = "agent"
        elif handed_over_at is not None and click.at - handed_over_at < soon:
            reason = "too_soon"
        elif _is_trapped(click, clicks, rules):
            reason = "trap"
        elif _is_sweep(click, clicks, rules):
            reason = "sweep"
        found[click.click_id] = reason
    return found


def _marked(agents: set[str], rules: Rules) -> set[str]:
    texts = sorted(agents)
    kinds = kinds_of_agents(pa.array(texts, pa.string()), of_pages=True).to_pylist()
    known = {text for text in texts if any(word in text.lower() for word in rules.agents)}
    return known | {text for text, kind in zip(texts, kinds, strict=True) if kind}


def _is_proxy(click: Click, rules: Rules) -> bool:
    """A picture fetched for somebody who opened the mail."""
    return click.kind == OPEN and any(word in click.agent.lower() for word in rules.proxies)


def _is_trapped(click: Click, clicks: Sequence[Click], rules: Rules) -> bool:
    """The trap itself, and whatever came from the same place around it."""
    within = timedelta(seconds=rules.trap_seconds)
    return click.kind == TRAP or any(
        other.kind == TRAP
        and abs(other.at - click.at) <= within
        and (other.address == click.address or other.agent == click.agent)
        for other in clicks
    )


def _is_sweep(click: Click, clicks: Sequence[Click], rules: Rules) -> bool:
    """One of many different links asked for within a moment."""
    if click.kind != CLICK:
        return False
    within = timedelta(seconds=rules.sweep_seconds)
    near = {c.destination_id for c in clicks if c.kind == CLICK and abs(c.at - click.at) <= within}
    return len(near) >= rules.sweep_links
