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
from regulars.serve.console.pages.journeys.rows.tree import dropped, flat, grown, nested
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
    if typed is not None:
        names = {"entries": "e", "exits": "x", "wheres": "w", "cases": "c"}
        return {name: nested(typed, key) for name, key in names.items()}
    return {
        "entries": entry_rows(given.get("entry")),
        "exits": exit_rows(given.get("exit_on")),
        "wheres": said_rows(node.get("where")),
        "cases": case_rows(node.get("cases")),
    }


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
