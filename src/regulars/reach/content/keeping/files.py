"""Contents as files: TOML that says what it is, texts beside it in .liquid, .mjml or .html."""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regulars.errors import InputError
from regulars.reach.content.definition import Content, Slot, Variant

TEXTS = ("subject", "text", "html", "mjml", "template", "link")
KNOWN = frozenset({
    "id", "channel", "message_class", "uses", "defaults", "products", "utm_campaign", "survey",
    "locales",
})  # fmt: skip
MOST_BYTES = 1 << 20


def read_content(path: Path) -> Content:
    """Read a content from its file.

    Args:
        path: TOML; a text named `<part>_file` is read from beside it.

    Returns:
        The content, not yet checked.

    Raises:
        InputError: The file cannot be read, or holds a name we do not know.
    """
    try:
        given = tomllib.loads(_text_of(path))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not readable TOML: {error}; mend the line it names") from error
    return content_from(given, str(path), folder=path.parent)


def content_from(given: Mapping[str, Any], where: str, *, folder: Path | None = None) -> Content:
    """Read a content from what TOML or JSON held.

    Args:
        given: The content as plain values.
        where: What it is, for messages.
        folder: Where files beside it are; None when there are none.

    Returns:
        The content, not yet checked.

    Raises:
        InputError: A name is not known, or a value is of the wrong kind.

    Example:
        >>> given = {"id": "a", "channel": "sms", "message_class": "marketing",
        ...          "locales": {"en": {"text": "Hi"}}}
        >>> content_from(given, "a").variants["en"].text
        'Hi'
    """
    odd = sorted(set(given) - KNOWN)
    if odd:
        raise InputError(f"{where} has {odd[0]!r}; known: {', '.join(sorted(KNOWN))}")
    locales = _mapping(given.get("locales", {}), f"{where}: locales")
    variants = {
        locale: _variant(_mapping(part, f"{where}: {locale}"), f"{where}: {locale}", folder)
        for locale, part in locales.items()
    }
    return Content(
        _string(given, "id", where),
        _string(given, "channel", where),
        _string(given, "message_class", where) or "marketing",
        variants,
        tuple(_strings(given.get("uses", []), f"{where}: uses")),
        _defaults(_mapping(given.get("defaults", {}), f"{where}: defaults"), where),
        tuple(_slot(part, where) for part in _list(given.get("products", []), where)),
        _string(given, "utm_campaign", where),
        _string(given, "survey", where),
    )


def difference(before: Content, after: Content) -> list[str]:
    """Tell what changed between two versions, line by line, as `diff -u` does.

    Args:
        before: One version.
        after: Another.

    Returns:
        Lines; empty when they say the same.
    """
    old, new = _parts(before), _parts(after)
    found: list[str] = []
    for name in sorted(old.keys() | new.keys()):
        found += difflib.unified_diff(
            old.get(name, "").splitlines(),
            new.get(name, "").splitlines(),
            f"{before.name} {name}",
            f"{after.name} {name}",
            lineterm="",
        )
    return found


def _parts(content: Content) -> dict[str, str]:
    """Everything a content says, text by text."""
    found = {
        "about": "\n".join([
            f"channel {content.channel}",
            f"message_class {content.message_class}",
            f"utm_campaign {content.utm_campaign}",
            f"survey {content.survey}",
            *(f"uses {name}" for name in content.uses),
            *(f"default {path} {dict(words)}" for path, words in sorted(content.defaults.items())),
            *(f"products {slot}" for slot in content.products),
        ])
    }
    for locale, variant in content.variants.items():
        found |= {f"{locale} {name}": getattr(variant, name) for name in TEXTS}
        given = sorted(variant.parameters.items())
        found[f"{locale} parameters"] = "\n".join(f"{name} {text}" for name, text in given)
    return found


def _variant(given: Mapping[str, Any], where: str, folder: Path | None) -> Variant:
    files = {f"{name}_file" for name in TEXTS}
    odd = sorted(set(given) - files - set(TEXTS) - {"parameters"})
    if odd:
        known = ", ".join(sorted({*TEXTS, *files, "parameters"}))
        raise InputError(f"{where} has {odd[0]!r}; known: {known}")
    texts = {}
    for name in TEXTS:
        texts[name] = _string(given, name, where)
        beside = _string(given, f"{name}_file", where)
        if beside and texts[name]:
            raise InputError(f"{where} has {name} and {name}_file; give one of them")
        if beside:
            texts[name] = _beside(folder, beside, where)
    parameters = _mapping(given.get("parameters", {}), f"{where}: parameters")
    return Variant(
        **texts, parameters={name: _string(parameters, name, where) for name in parameters}
    )


def _beside(folder: Path | None, name: str, where: str) -> str:
    if folder is None:
        raise InputError(f"{where} names the file {name!r}; write the text itself")
    home, path = folder.resolve(), (folder / name).resolve()
    if home not in path.parents:
        raise InputError(f"{where} names {name!r}, must name a file beside it or in a folder below")
    return _text_of(path)


def _text_of(path: Path) -> str:
    if path.stat().st_size > MOST_BYTES:
        raise InputError(f"{path} is larger than {MOST_BYTES} bytes; a message must be smaller")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8: {error}; save it as UTF-8") from error


def _slot(given: Any, where: str) -> Slot:
    part = _mapping(given, f"{where}: products")
    odd = sorted(set(part) - {"name", "ids", "choose", "count", "url"})
    if odd:
        raise InputError(f"{where}: products has {odd[0]!r}; known: choose, count, ids, name, url")
    count = part.get("count", 1)
    if isinstance(count, bool) or not isinstance(count, int):
        raise InputError(f"{where}: count is {count!r}, must be a whole number")
    return Slot(
        _string(part, "name", where),
        tuple(_strings(part.get("ids", []), f"{where}: ids")),
        _string(part, "choose", where),
        count,
        _string(part, "url", where),
    )


def _defaults(given: Mapping[str, Any], where: str) -> dict[str, dict[str, str]]:
    found = {}
    for path, words in given.items():
        by_locale = {"": words} if isinstance(words, str) else _mapping(words, f"{where}: {path}")
        found[path] = {locale: _string(by_locale, locale, where) for locale in by_locale}
    return found


def _string(given: Mapping[str, Any], name: str, where: str) -> str:
    value = given.get(name, "")
    if not isinstance(value, str):
        raise InputError(f"{where}: {name} is {value!r}, must be a text")
    return value


def _strings(given: Any, where: str) -> list[str]:
    found = _list(given, where)
    if any(not isinstance(one, str) for one in found):
        raise InputError(f"{where} must be a list of texts")
    return found


def _list(given: Any, where: str) -> list[Any]:
    if not isinstance(given, list):
        raise InputError(f"{where} is {given!r}, must be a list")
    return given


def _mapping(given: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise InputError(f"{where} is {given!r}, must be a table")
    return given
