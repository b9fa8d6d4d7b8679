"""What somebody wrote in the form of an experiment, and the definition it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regulars.errors import InputError
from regulars.measure.experiments.keeping.definition import Definition, definition_of

ROWS = 4
"""Variants the form has room for; more come from factors."""
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
        for number in range(ROWS)
    )
    texts = {
        name: form.get(name, "").strip()
        for name in Draft.__annotations__
        if name not in {"guardrails", "rows"}
    }
    return Draft(**texts, guardrails=named, rows=rows)


def draft_of(one: Definition) -> Draft:
    """Show a kept draft in the form again."""
    rows = [
        Row(
            variant.name,
            f"{100 * variant.share:g}",
            ALL if variant.offers is None else ", ".join(variant.offers),
        )
        for variant in one.variants[:ROWS]
    ]
    levels: dict[str, dict[str, None]] = {}
    for variant in one.variants:
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
    )


def definition_from(draft: Draft) -> Definition:
    """Turn the form into a definition.

    Args:
        draft: What was written.

    Returns:
        The definition.

    Raises:
        InputError: Something is missing or no number.
    """
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
    return definition_of(given, where="the form")


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
