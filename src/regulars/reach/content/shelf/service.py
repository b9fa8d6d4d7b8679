"""Contents by facet: search, tags, interests, review state, and the matrix of interests."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from regulars.errors import InputError
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State
from regulars.reach.content.keeping.service import Kept, kept, list_contents

TAG, INTEREST = "tag", "interest"
FACETS = (TAG, INTEREST)
DRAFT, IN_REVIEW, APPROVED, SENT_BACK = "draft", "in_review", "approved", "sent_back"
REVIEW_STATES = (DRAFT, IN_REVIEW, APPROVED, SENT_BACK)
MOST_VALUES = 50
_STATE_BY_STATUS = {"waiting": IN_REVIEW, "approved": APPROVED, "changes_asked": SENT_BACK}
_SQL = Queries(__package__)


@dataclass(frozen=True)
class Item:
    """One content of the shelf, in its newest version.

    Attributes:
        kept: The version.
        tags: Words people gave it.
        interests: What customers it is for are interested in.
        review: draft (no campaign with this version was submitted), in_review, approved, or
            sent_back.
    """

    kept: Kept
    tags: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    review: str = DRAFT

    @property
    def id(self) -> str:
        """Id of the content."""
        return self.kept.content.id


@dataclass(frozen=True)
class Wanted:
    """What is looked for; an empty part means any.

    Attributes:
        text: Words that must stand in the id or in what it says, in any case.
        channel: Channel.
        locale: Language it is written in.
        tag: Tag.
        interest: Interest.
        review: Review state.
    """

    text: str = ""
    channel: str = ""
    locale: str = ""
    tag: str = ""
    interest: str = ""
    review: str = ""


@dataclass(frozen=True)
class Matrix:
    """Which content there is for which interest, by channel.

    Attributes:
        interests: Interests, in order.
        channels: Channels, in order.
        items: Contents by interest and channel; pairs without any are not in it.
        gaps: Pairs of interest and channel nothing approved is written for.
    """

    interests: tuple[str, ...]
    channels: tuple[str, ...]
    items: dict[tuple[str, str], list[Item]] = field(default_factory=dict)
    gaps: list[tuple[str, str]] = field(default_factory=list)


def set_facets(
    state: State, content_id: str, kind: str, values: Sequence[str], *, actor: str, now: datetime
) -> None:
    """Say what tags or interests a content has; what it had before is replaced.

    Args:
        state: The workspace's state.
        content_id: The content.
        kind: "tag" or "interest".
        values: Words, each once, 50 at most; empty for none.
        actor: Who says so.
        now: The moment, aware.

    Raises:
        InputError: There is no such kind, or a word is empty or too long.
    """
    if kind not in FACETS:
        raise InputError(f"kind is {kind!r}, must be tag or interest")
    words = sorted({word.strip() for word in values if word.strip()})
    if len(words) > MOST_VALUES or any(len(word) > 64 for word in words):
        raise InputError(f"give at most {MOST_VALUES} words of at most 64 letters each")
    name = kept(state, content_id).content.id
    at = now.astimezone(UTC).isoformat(timespec="microseconds")
    about = {"content_id": name, "kind": kind}
    with state.transaction() as opened:
        opened.run(_SQL["drop_facets"], **about)
        opened.many(
            _SQL["add_facet"],
            [about | {"value": word, "set_by": actor, "set_at": at} for word in words],
        )
        detail = {"kind": kind, "values": words}
        record(opened, actor=actor, action="content.facets", subject=name, detail=detail, at=now)


def search(state: State, wanted: Wanted | None = None) -> list[Item]:
    """Find contents, each in its newest version, by id.

    Args:
        state: The workspace's state.
        wanted: What is looked for; everything when left out.

    Returns:
        The contents.
    """
    look = wanted or Wanted()
    return [item for item in _items(state) if _fits(item, look)]


def matrix(state: State, *, interests: Sequence[str] = (), channels: Sequence[str] = ()) -> Matrix:
    """Say which content there is for which interest, and where there is none.

    Args:
        state: The workspace's state.
        interests: Interests customers have, such as categories they buy most; those of contents
            are added.
        channels: Channels of the workspace; those of contents are added.

    Returns:
        The matrix.
    """
    items = _items(state)
    rows = tuple(sorted({*interests, *(word for one in items for word in one.interests)}))
    columns = tuple(sorted({*channels, *(one.kept.content.channel for one in items)}))
    found: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        for word in item.interests:
            found.setdefault((word, item.kept.content.channel), []).append(item)
    gaps = [
        (row, column)
        for row in rows
        for column in columns
        if not any(one.review == APPROVED for one in found.get((row, column), []))
    ]
    return Matrix(rows, columns, found, gaps)


def _items(state: State) -> list[Item]:
    with state.reading() as opened:
        facets = opened.all(_SQL["facets"])
        reviews = opened.all(_SQL["reviews"])
    words: dict[tuple[str, str], list[str]] = {}
    for row in facets:
        words.setdefault((row["content_id"], row["kind"]), []).append(row["value"])
    states = _states(reviews)
    return [
        Item(
            one,
            tuple(words.get((one.content.id, TAG), ())),
            tuple(words.get((one.content.id, INTEREST), ())),
            states.get(one.content.name, DRAFT),
        )
        for one in list_contents(state)
    ]


def _states(reviews: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Give the state of each version by the last campaign that was submitted with it."""
    found: dict[str, str] = {}
    for row in reviews:
        state = _STATE_BY_STATUS.get(row["status"])
        if state is None:
            continue
        for name in json.loads(row["definition"]).get("content", {}).values():
            # One approval is enough: what was approved once may be sent as it is.
            if found.get(name) != APPROVED:
                found[name] = state
    return found


def _fits(item: Item, look: Wanted) -> bool:
    content = item.kept.content
    text = look.text.strip().casefold()
    said = " ".join([
        content.id,
        *(f"{v.subject} {v.text} {v.html} {v.mjml}" for v in content.variants.values()),
    ])
    return (
        (not text or text in said.casefold())
        and (not look.channel or content.channel == look.channel)
        and (not look.locale or look.locale in content.variants)
        and (not look.tag or look.tag in item.tags)
        and (not look.interest or look.interest in item.interests)
        and (not look.review or item.review == look.review)
    )
