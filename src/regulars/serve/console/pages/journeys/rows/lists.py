"""The lists of the form that is open: as the draft has them, or as they are being typed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regulars.decide.offers.keeping.service import offers_in_force
from regulars.reach.journeys.definition.values import WEEKDAYS
from regulars.serve.console.pages.journeys.rows.conditions import said_of, said_rows, signs_of
from regulars.serve.console.pages.journeys.rows.doors import (
    EVERY,
    KINDS,
    SIDES,
    case_rows,
    cases_of,
    entry_rows,
    exit_rows,
)
from regulars.serve.console.pages.journeys.rows.tree import Row, dropped, flat, grown, nested
from regulars.serve.console.words.customers import SEGMENTS
from regulars.serve.console.words.journeys import DATES
from regulars.serve.http.door.workspaces import Workspace
from regulars.understand.segments.audiences.dimensions import DIMENSIONS, SOCIAL_EVENTS
from regulars.understand.segments.audiences.service import list_audiences
from regulars.unify.tags.service import list_tags

NEW: dict[str, dict[str, Any]] = {
    "e": {"kind": "event"},
    "x": {"is_goal": ""},
    "c": {"q": [{"what": ""}]},
    "w": {"sign": "="},
    "q": {"what": ""},
}
"""What a new row begins with, by the list it is in."""
_BLANK: dict[str, Row] = {
    "e": {
        "kind": "event", "event": "", "w": [], "q": [], "field": "birthday", "side": "before",
        "days": "7", "at": "09:00", "every": "day", "on": {}, "day": "1", "start": "",
    },
    "x": {"event": "", "w": [], "is_goal": ""},
    "c": {"name": "", "q": []},
    "w": {"property": "", "sign": "=", "value": ""},
    "q": {
        "what": "", "name": "", "sign": "", "value": "", "event": "", "days": "30", "property": "",
    },
}  # fmt: skip
_EVENTS = (
    "Signed Up", "Product Viewed", "Products Searched", "Product Added", "Checkout Started",
    "Order Completed", "Order Refunded", "Product Added to Wishlist", "Price Dropped",
    "Back In Stock", "Points Redeemed", *SOCIAL_EVENTS,
)  # fmt: skip


def lists_of(
    given: Mapping[str, Any], node: Mapping[str, Any], typed: Mapping[str, str] | None
) -> dict[str, Any]:
    """Give the lists the form shows.

    Args:
        given: The draft.
        node: What the open node says; empty for the settings of the journey.
        typed: The form as it was typed, where it is not taken over yet.

    Returns:
        Rows by name: entries, exits, wheres, cases.
    """
    shown = {
        "e": entry_rows(given.get("entry")),
        "x": exit_rows(given.get("exit_on")),
        "w": said_rows(node.get("where")),
        "c": case_rows(node.get("cases")),
    }
    if typed is not None:
        shown = {name: nested(typed, name) for name in shown}
    return {
        "entries": [_whole(row, "e") for row in shown["e"]],
        "exits": [_whole(row, "x") for row in shown["x"]],
        "wheres": [_whole(row, "w") for row in shown["w"]],
        "cases": [_whole(row, "c") for row in shown["c"]],
    }


def _whole(row: Row, name: str) -> Row:
    """Give a row with everything its fields show; one that must ask something has a condition."""
    told = _BLANK[name] | row
    if not told.get("q") and (name == "c" or told.get("kind") == "audience"):
        told["q"] = [{}]
    for inner in ("w", "q"):
        if inner in told:
            listed = told[inner] if isinstance(told[inner], list) else []
            told[inner] = [_whole(one, inner) for one in listed if isinstance(one, dict)]
    return told


def with_rows(form: Mapping[str, str]) -> dict[str, str]:
    """Do what a button of a list says, on the form as it was typed.

    Args:
        form: The form; its `do` is "rows:add:e.0.w", "rows:drop:x.1", or "rows" to show it anew.

    Returns:
        The form.
    """
    _, _, told = form.get("do", "").partition(":")
    verb, _, place = told.partition(":")
    name, _, path = place.partition(".")
    rows = nested(form, name)
    if verb == "add":
        rows = grown(rows, path, NEW.get((path or name).rpartition(".")[2], {}))
    elif verb == "drop":
        rows = dropped(rows, path)
    else:
        return dict(form)
    kept = {key: text for key, text in form.items() if not key.startswith(f"{name}.")}
    return kept | flat(rows, name)


def with_lists(
    node: Mapping[str, Any], before: Mapping[str, Any], form: Mapping[str, str]
) -> dict[str, Any]:
    """Put the lists of the form into what a node says.

    Args:
        node: What it says by its other fields.
        before: What it said.
        form: The form.

    Returns:
        What it says now.

    Raises:
        InputError: A row cannot be read.
    """
    told = dict(node)
    if told["kind"] == "wait_for_event":
        said = said_of(nested(form, "w"))
        told.pop("where", None)
        told |= {"where": said} if said else {}
    if told["kind"] == "branch":
        told["cases"] = cases_of(nested(form, "c"), before.get("cases", []))
    return told


def choices_of(workspace: Workspace, now: datetime) -> dict[str, Any]:
    """Give what the lists and fields of the form offer to choose from."""
    settings = workspace.settings
    return {
        "entry_kinds": KINDS,
        "sides": SIDES,
        "every": EVERY,
        "weekdays": WEEKDAYS,
        "dates": list(DATES),
        "dimensions": DIMENSIONS,
        "happenings": _EVENTS,
        "signs_of": signs_of,
        "groups": {
            "tag": [tag.name for tag in list_tags(workspace.state)],
            "segment": list(SEGMENTS),
            "audience": [one.name for one in list_audiences(workspace.state)],
        },
        "choices": {
            "tag": [tag.name for tag in list_tags(workspace.state)],
            "do": ["add", "remove"],
            "offer": [kept.offer.offer_id for kept in offers_in_force(workspace.state, at=now)],
            "hook": [name for name, one in settings.channels.items() if one.via == "webhook"],
        },
    }
