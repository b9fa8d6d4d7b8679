"""A tracking plan as JSON Schema, and back."""

from typing import Any

from regulars.collect.quality.plan.model import EventRule, Plan, PropertyRule
from regulars.errors import InputError

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FORMATS = {"datetime": "date-time", "date": "date"}
_OURS = {value: key for key, value in _FORMATS.items()}
_LIMITS = {"least": "minimum", "most": "maximum", "pattern": "pattern", "longest": "maxLength"}


def schema_of_plan(plan: Plan) -> dict[str, Any]:
    """Write a plan as one JSON Schema document: a definition per event, for its properties.

    Returns:
        The document. What JSON Schema has no word for stands under keys that begin with `x-`.
    """
    return {
        "$schema": DIALECT,
        "$defs": {name: _schema_of_event(rule) for name, rule in plan.event.items()},
    }


def plan_of_schema(schema: dict[str, Any]) -> Plan:
    """Read a plan from JSON Schema: a document with `$defs`, or one object schema with a title.

    Returns:
        The plan; `$ref` and combinations of schemas are not followed, and a property that has
        only those is of type any.

    Raises:
        InputError: The document is neither.
    """
    definitions = schema.get("$defs") or schema.get("definitions")
    if definitions is None and "properties" in schema and schema.get("title"):
        definitions = {schema["title"]: schema}
    if not isinstance(definitions, dict) or not definitions:
        raise InputError(
            "the JSON Schema has neither $defs nor a title with properties; "
            "give one definition per event under $defs"
        )
    return Plan({name: _event_of_schema(name, part) for name, part in definitions.items()})


def _schema_of_event(rule: EventRule) -> dict[str, Any]:
    whole: dict[str, Any] = {"type": "object", "description": rule.means, "properties": {}}
    whole |= {"x-family": rule.family, "x-type": rule.type, "x-version": rule.version}
    for key, value in (("also", rule.also), ("sources", rule.sources), ("owner", rule.owner)):
        if value:
            whole[f"x-{key}"] = list(value) if isinstance(value, tuple) else value
    for path, one in rule.property.items():
        _put(whole, path.split("."), one)
    return whole


def _put(schema: dict[str, Any], parts: list[str], rule: PropertyRule) -> None:
    name, *rest = parts
    key = name.removesuffix("[]")
    held = schema.setdefault("properties", {}).setdefault(key, {})
    here = held
    if name.endswith("[]"):
        held.setdefault("type", "array")
        here = held.setdefault("items", {})
    if rest:
        here.setdefault("type", "object")
        _put(here, rest, rule)
        return
    here.update(_schema_of_property(rule))
    if rule.required and not name.endswith("[]"):
        schema.setdefault("required", []).append(key)


def _schema_of_property(rule: PropertyRule) -> dict[str, Any]:
    kind = "string" if rule.type in _FORMATS else rule.type
    made: dict[str, Any] = {} if kind == "any" else {"type": kind}
    if rule.type in _FORMATS:
        made["format"] = _FORMATS[rule.type]
    if rule.means:
        made["description"] = rule.means
    if rule.enum:
        made["enum"] = list(rule.enum)
    if rule.examples:
        made["examples"] = list(rule.examples)
    for ours, theirs in _LIMITS.items():
        if getattr(rule, ours) not in {None, ""}:
            made[theirs] = getattr(rule, ours)
    made |= {"x-unit": rule.unit} if rule.unit else {}
    return made | ({"x-grade": rule.grade} if rule.grade != "internal" else {})


def _event_of_schema(name: str, schema: dict[str, Any]) -> EventRule:
    rules: dict[str, PropertyRule] = {}
    _collect(schema, "", rules)
    return EventRule(
        means=schema.get("description", name),
        family=schema.get("x-family", "imported"),
        type=schema.get("x-type", "track"),
        also=tuple(schema.get("x-also", ())),
        sources=tuple(schema.get("x-sources", ())),
        owner=schema.get("x-owner", ""),
        version=schema.get("x-version", 1),
        property=rules,
    )


def _collect(schema: dict[str, Any], prefix: str, rules: dict[str, PropertyRule]) -> None:
    required = set(schema.get("required", ()))
    for key, part in schema.get("properties", {}).items():
        path = f"{prefix}{key}"
        inner = part.get("items", {}) if part.get("type") == "array" else part
        inner_path = f"{path}[]" if inner is not part else path
        is_said = set(part) - {"type", "items", "properties", "required"}
        if is_said or key in required or not (inner.get("properties") or inner is not part):
            rules[path] = _property_of_schema(part, required=key in required)
        if inner.get("properties"):
            _collect(inner, f"{inner_path}.", rules)
        elif inner is not part and inner:
            rules[inner_path] = _property_of_schema(inner, required=False)


def _property_of_schema(schema: dict[str, Any], *, required: bool) -> PropertyRule:
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "any")
    if kind == "string" and schema.get("format") in _OURS:
        kind = _OURS[schema["format"]]
    limits = {ours: schema[theirs] for ours, theirs in _LIMITS.items() if theirs in schema}
    return PropertyRule(
        type=kind,
        means=schema.get("description", ""),
        required=required,
        enum=tuple(schema.get("enum", ())),
        unit=schema.get("x-unit", ""),
        grade=schema.get("x-grade", "internal"),
        examples=tuple(schema.get("examples", ())),
        **limits,
    )
