"""A journey as it is edited: each button gives the next draft, checked; saving keeps it."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.govern.consent.declared import read_declared
from regulars.reach.journeys.definition.reading import read_journey
from regulars.serve.console.pages.journeys import fields
from regulars.serve.console.pages.journeys.canvas.picture import picture_of, word_of_edge
from regulars.serve.console.pages.journeys.editing import (
    Given,
    inserted,
    led,
    packed,
    removed,
    settled,
    targets,
    unpacked,
)
from regulars.serve.console.pages.journeys.rows.doors import entries_of, exits_of
from regulars.serve.console.pages.journeys.rows.lists import (
    choices_of,
    lists_of,
    with_lists,
    with_rows,
)
from regulars.serve.console.pages.journeys.rows.tree import nested
from regulars.serve.console.refusing.telling import reason_of
from regulars.serve.console.rendering import Pages, caller_of, is_part, say
from regulars.serve.sending.journeys import acting

USUAL: dict[str, dict[str, Any]] = {
    "wait": {"days": 1},
    "wait_for_event": {"event": "Order Completed", "timeout_days": 3},
    "window": {"from": "09:00", "to": "20:00"},
    "branch": {
        "cases": [
            {"name": "buyers", "when": {"profile": {"field": "orders", "is": ">=", "value": 1}}}
        ]
    },
    "split": {"arms": [{"name": "a", "weight": 1}, {"name": "b", "weight": 1}]},
    "decide": {"offers": ["offer"]},
    "message": {},
    "tag": {"tag": "tag", "do": "add"},
    "points": {"points": 100},
    "coupon": {"offer": "offer"},
    "webhook": {"hook": "hook"},
    "goal": {"goal": "reached"},
}
"""Settings a new node begins with."""


class EditorPages:
    """Handlers of the editor.

    Args:
        pages: Makes pages of templates.
    """

    def __init__(self, pages: Pages) -> None:
        """Keep what makes pages."""
        self._pages = pages

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/journeys/{journey_id}/edit", self.change, methods=["POST"]),
            Route("/journeys/{journey_id}/save", self.save, methods=["POST"]),
        ]

    def change(self, request: Request) -> Response:
        """The editor after one of its buttons; nothing is kept."""
        form = caller_of(request).form
        draft, undo = _draft(form.get("draft", "")), unpacked(form.get("undo", ""))
        opened = form.get("opened", "")
        if form.get("do", "").startswith("rows"):
            return self._editor(request, draft, undo, opened, typed=with_rows(form))
        try:
            told, opened = _changed(request, draft, undo, form.get("do", ""), opened)
            journey = settled(told)
        except (InputError, UnknownName) as error:
            typed = form if form.get("do", "").partition(":")[0] in {"change", "settings"} else None
            return self._editor(request, draft, undo, opened, problem=reason_of(error), typed=typed)
        if form.get("do") == "undo":
            return self._editor(request, journey, undo[:-1], opened)
        if journey != draft:
            undo = [*undo, draft]
        return self._editor(request, journey, undo, opened)

    def save(self, request: Request) -> Response:
        """Keep the draft as the next version; nobody walks by it yet."""
        caller = caller_of(request)
        draft, undo = _draft(caller.form.get("draft", "")), unpacked(caller.form.get("undo", ""))
        journey_id = request.path_params["journey_id"]
        try:
            with caller.workspace.holding() as app:
                acting.put(app, draft | {"id": journey_id}, actor=caller.actor, now=caller.now)
        except (InputError, NotAllowed, UnknownName) as error:
            return self._editor(request, draft, undo, "", problem=reason_of(error), status=400)
        return RedirectResponse(
            f"/journeys/{quote(journey_id, safe='')}?view=versions&said=journey_saved", 303
        )

    def _editor(
        self,
        request: Request,
        draft: Given,
        undo: list[Given],
        opened: str,
        *,
        problem: str = "",
        status: int = 200,
        typed: Mapping[str, str] | None = None,
    ) -> Response:
        name = request.path_params["journey_id"]
        values = editor_values(request, name, draft, undo=undo, opened=opened, typed=typed)
        template = "reach/journeys/editor.html" if is_part(request) else "reach/journeys/alone.html"
        return self._pages.page(request, template, status=status, problem=problem, **values)


def editor_values(
    request: Request,
    journey_id: str,
    given: Given,
    *,
    undo: list[Given] | None = None,
    opened: str = "",
    typed: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Give what the editor shows.

    Args:
        request: The request.
        journey_id: The journey.
        given: The draft.
        undo: Earlier drafts.
        opened: Node whose form is shown; "" for that of the journey.
        typed: The form as it was typed, where it is not taken over yet.

    Returns:
        Values of the template.
    """
    workspace = caller_of(request).workspace
    speak = lambda text: say(request, text)  # noqa: E731
    journey = read_journey(given)
    node = journey.nodes.get(opened)
    kind = node.kind.value if node else ""
    written = given["nodes"][opened] if node else {}
    return {
        "journey_id": journey_id,
        "draft": json.dumps(given, ensure_ascii=False),
        "undo": packed(undo or []),
        "undone": len(undo or []),
        "picture": picture_of(journey, given, speak),
        "opened": opened if node else "",
        "kind": kind,
        "fields": fields.shown(kind, written) | fields.typed(kind, typed or {}) if node else {},
        **lists_of(given, written, typed),
        **choices_of(workspace, caller_of(request).now),
        "long": fields.LONG,
        "ways": [
            (number, word_of_edge(label, speak), target)
            for number, (label, target) in enumerate(targets(written) if node else [])
        ],
        "names": list(journey.nodes),
        "kinds": [*USUAL],
        "ways_in": len(journey.entries),
        "settings": _settings(given) | _typed_settings(typed or {}),
        "topics": list(read_declared(workspace.folder).topics),
        "channels": list(workspace.settings.channels),
    }


def _settings(given: Given) -> dict[str, str]:
    reentry = given.get("reentry", "never")
    return {
        "name": str(given.get("name", given["id"])),
        "holdout": f"{float(given.get('holdout', 0.1)) * 100:g}",
        "days": str(given.get("measure", {}).get("days", 14)),
        "reentry": "after_days" if isinstance(reentry, dict) else str(reentry),
        "after_days": str(reentry["after_days"]) if isinstance(reentry, dict) else "",
        "keeps": " ".join(given.get("keeps", [])),
        "note": str(given.get("note", "")),
    }


def _changed(
    request: Request, draft: Given, undo: list[Given], what: str, opened: str
) -> tuple[Given, str]:
    """Do what a button says; gives the draft and the node that is open then."""
    form = caller_of(request).form
    verb, _, name = what.partition(":")
    if verb == "undo":
        return (undo[-1] if undo else draft), opened
    if verb == "insert":
        return _with_node(request, draft, name)
    if verb == "settings":
        return _with_settings(draft, form), ""
    if name not in draft["nodes"]:
        return draft, "" if verb == "close" else opened
    if verb == "remove":
        return removed(draft, name), ""
    return (_with_change(draft, name, form) if verb == "change" else draft), name


def _with_node(request: Request, draft: Given, source: str) -> tuple[Given, str]:
    """Put a node of the kind the form says on one of the ways of another, or on a way in."""
    form = caller_of(request).form
    number, kind = _whole(form.get("on", "0")), form.get("kind", "")
    if kind not in USUAL:
        raise UnknownName("kind of node", kind, USUAL)
    usual = dict(USUAL[kind])
    if kind in {"message", "decide"}:
        usual["channels"] = list(caller_of(request).workspace.settings.channels)[:1]
    most = len(targets(draft["nodes"][source])) if source else len(read_journey(draft).entries)
    if not 0 <= number < most:
        raise InputError(f"way {number} is none; give one from 0 to {most - 1}")
    return inserted(draft, source, number, kind, usual)


def _with_change(draft: Given, name: str, form: Mapping[str, str]) -> Given:
    kind = draft["nodes"][name]["kind"]
    told = {key.removeprefix("f."): value for key, value in form.items()}
    node = with_lists(fields.read(kind, draft["nodes"][name], told), draft["nodes"][name], form)
    changed = draft | {"nodes": draft["nodes"] | {name: node}}
    heads_to = [form.get(f"way.{n}", target) for n, (_, target) in enumerate(targets(node))]
    return led(changed, name, heads_to)


def _with_settings(draft: Given, form: Mapping[str, str]) -> Given:
    told = dict(draft)
    told["name"] = form.get("s.name", "").strip() or draft["id"]
    told["note"] = form.get("s.note", "").strip()
    told["holdout"] = _number(form.get("s.holdout", "10"), "holdout") / 100
    told["measure"] = {"days": _whole(form.get("s.days", "14"))}
    reentry = form.get("s.reentry", "never")
    told["reentry"] = (
        {"after_days": _whole(form.get("s.after_days") or "0")}
        if reentry == "after_days"
        else reentry
    )
    told["keeps"] = form.get("s.keeps", "").split()
    told["entry"], told["exit_on"] = entries_of(nested(form, "e")), exits_of(nested(form, "x"))
    return told


def _typed_settings(typed: Mapping[str, str]) -> dict[str, str]:
    return {key[2:]: text for key, text in typed.items() if key.startswith("s.")}


def _draft(text: str) -> Given:
    try:
        found = json.loads(text)
        settled(found)
    except (ValueError, AttributeError, TypeError) as error:
        raise InputError("the draft of the form is not whole; load the page again") from error
    return dict(found)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise InputError(f"{text!r} must be a whole number") from error


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"{name} is {text!r}, must be a number") from error
