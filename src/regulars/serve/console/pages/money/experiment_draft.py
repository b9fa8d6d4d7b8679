"""What somebody wrote in the form of an experiment, and the definition it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regulars.errors import InputError
from regulars.measure.experiments.keeping.definition import (
    MOST_VARIANTS,
    Definition,
    definition_of,
)

ROWS = 4
"""Variants the form has room for when it is empty; a draft with more has a row for each."""
ALL = "*"


@dataclass(frozen=True)
class Row:
    """One variant as written.

    Attributes:
        name: Its name; "" for a row left empty.
        share: Per cent of the customers.
        offers: Offer ids, by comma; * for all, empty for none.
    """

    name: str
    share: str
    offers: str


@dataclass(frozen=True)
class Draft:
    """The form as written.

    Attributes:
        id: Short name.
        name: What people call it.
        hypothesis: What is expected.
        primary: The metric it is about.
        effect: Smallest change worth finding; points of per cent for a share.
        guardrails: Metrics that must not get worse.
        inference: When it may be read.
        days: Days it runs.
        looks: Planned looks.
        layer: Its layer.
        traffic: Per cent of the layer's customers.
        factors: One factor a line, `subject: short, long`; instead of variants.
        rows: Variants.
        edited_at: When the draft that is changed was written; "" for a new one.
    """

    id: str
    name: str
    hypothesis: str
    primary: str
    effect: str
    guardrails: tuple[str, ...]
    inference: str
    days: str
    looks: str
    layer: str
    traffic: str
    factors: str
    rows: tuple[Row, ...]
    edited_at: str = ""


def empty_draft() -> Draft:
    """Give the form as it is first shown."""
    rows = (Row("control", "50", ""), Row("treated", "50", ALL), Row("", "", ""), Row("", "", ""))
    return Draft(
        "", "", "", "buyers", "2", ("refunds",), "any_time", "28", "4", "default", "100", "", rows
    )  # fmt: skip


def draft_from(form: Mapping[str, str]) -> Draft:
    """Take what was written in the form."""
    named = tuple(
        name.removeprefix("guard-")
        for name in sorted(form)
        if name.startswith("guard-") and form[name]
    )
    rows = tuple(
        Row(*(form.get(f"{part}-{number}", "").strip() for part in ("name", "share", "offers")))
        for number in range(MOST_VARIANTS)
        if number < ROWS or f"name-{number}" in form
    )
    texts = {
        name: form.get(name, "").strip()
        for name in Draft.__annotations__
        if name not in {"guardrails", "rows"}
    }
    return Draft(**texts, guardrails=named, rows=rows)


def draft_of(one: Definition, edited_at: str) -> Draft:
    """Show a kept draft in the form again.

    Args:
        one: The draft.
        edited_at: When it was written.

    Returns:
        The form: factors where all variants are made of them alike, else a row for each variant.
    """
    is_grid = _is_grid(one)
    rows = (
        []
        if is_grid
        else [
            Row(
                variant.name,
                f"{100 * variant.share:g}",
                ALL if variant.offers is None else ", ".join(variant.offers),
            )
            for variant in one.variants
        ]
    )
    levels: dict[str, dict[str, None]] = {}
    for variant in one.variants if is_grid else ():
        for factor, level in variant.values.items():
            levels.setdefault(factor, {})[level] = None
    factors = "\n".join(f"{name}: {', '.join(known)}" for name, known in levels.items())
    scale = 100 if one.primary == "buyers" else 1
    return Draft(
        one.id,
        one.name,
        one.hypothesis,
        one.primary,
        f"{scale * one.effect:g}",
        one.guardrails,
        one.inference.value,
        str(one.days),
        str(one.looks),
        one.layer,
        f"{100 * one.traffic:g}",
        factors,
        (*rows, *[Row("", "", "")] * (ROWS - len(rows))),
        edited_at,
    )


def _is_grid(one: Definition) -> bool:
    """Tell whether the variants are what factors make: equal shares, all offers, own names."""
    share, parts = 1 / len(one.variants), list(one.variants[0].values)
    levels = [{variant.values.get(part) for variant in one.variants} for part in parts]
    return (
        bool(parts)
        and all(len(known) > 1 for known in levels)
        and all(
            variant.offers is None
            and abs(variant.share - share) < 1e-9
            and list(variant.values) == parts
            and variant.name == "/".join(variant.values.values())
            for variant in one.variants
        )
    )


def definition_from(draft: Draft, kept: Definition | None = None) -> Definition:
    """Turn the form into a definition.

    What the form does not ask for, and what was not changed in it, stays as it is kept.

    Args:
        draft: What was written.
        kept: The draft that is changed; None for a new one.

    Returns:
        The definition.

    Raises:
        InputError: Something is missing or no number.
    """
    given = _given(draft)
    if kept is None:
        return definition_of(given, where="the form")
    before, whole = draft_of(kept, draft.edited_at), kept.told()
    for name in ("effect", "traffic"):
        if getattr(draft, name) == getattr(before, name) and draft.primary == before.primary:
            given[name] = whole[name]
    if sorted(draft.guardrails) == sorted(before.guardrails) and draft.primary == before.primary:
        del given["guardrails"]
    if "factors" not in given:
        given["variants"] = _overlaid(draft, before, kept)
    elif draft.factors == before.factors:
        del given["factors"]
        given["variants"] = whole["variants"]
    if "factors" in given:
        del whole["variants"]
    return definition_of(whole | given, where="the form")


def _overlaid(draft: Draft, before: Draft, kept: Definition) -> list[dict[str, Any]]:
    """Variants of the rows; one of a kept name, or renamed in its row, keeps its values."""
    own = {variant.name: number for number, variant in enumerate(kept.variants)}
    names = {row.name for row in draft.rows}
    found = []
    for number, row in enumerate(draft.rows):
        if not row.name:
            continue
        place = own.get(row.name)
        if place is None and number < len(kept.variants):
            place = None if kept.variants[number].name in names else number
        made = _variant(row)
        if place is not None:
            variant = kept.variants[place]
            made["values"] = dict(variant.values)
            if not before.factors and row.share == before.rows[place].share:
                made["share"] = variant.share
        found.append(made)
    return found


def _given(draft: Draft) -> dict[str, Any]:
    scale = 100 if draft.primary == "buyers" else 1
    given: dict[str, Any] = {
        "id": draft.id,
        "name": draft.name,
        "hypothesis": draft.hypothesis,
        "primary": draft.primary,
        "effect": _number("effect", draft.effect) / scale,
        "guardrails": [one for one in draft.guardrails if one != draft.primary],
        "inference": draft.inference,
        "days": int(_number("days", draft.days)),
        "looks": int(_number("looks", draft.looks or "1")),
        "layer": draft.layer,
        "traffic": _number("traffic", draft.traffic) / 100,
    }
    if draft.factors:
        given["factors"] = dict(_factor(line) for line in draft.factors.splitlines() if line)
    else:
        given["variants"] = [_variant(row) for row in draft.rows if row.name]
    return given


def _variant(row: Row) -> dict[str, Any]:
    offers: list[str] | None = [one.strip() for one in row.offers.split(",") if one.strip()]
    if row.offers == ALL:
        offers = None
    return {"name": row.name, "share": _number("share", row.share) / 100, "offers": offers}


def _factor(line: str) -> tuple[str, list[str]]:
    name, colon, levels = line.replace("：", ":").partition(":")
    known = [one.strip() for one in levels.replace("，", ",").split(",") if one.strip()]
    if not colon or not name.strip() or len(known) < 2:
        raise InputError(f"{line!r} is no factor; write its name, a colon and two levels or more")
    return name.strip(), known


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"{name} is {text!r}; give a number") from error
