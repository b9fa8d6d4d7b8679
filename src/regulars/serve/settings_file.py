"""`regulars.toml` as `regulars init` writes it: every setting with its default and its meaning."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from regulars.settings import Settings

# What every channel in the file says; the rest is there to be uncommented.
_ALWAYS = ("cost", "via")


@dataclass(frozen=True)
class Described:
    """One setting as a person reads it.

    Attributes:
        section: Table of the file it stands in, such as "loop" or "channels.sms".
        name: The setting.
        default: Value it has when the file leaves it out.
        means: What it decides, with unit and range.
    """

    section: str
    name: str
    default: Any
    means: str


def described_settings() -> list[Described]:
    """List every setting there is, in the order of the file.

    Returns:
        One entry per setting; meanings come from the docstrings of `settings.py`. The first
        channel has them all, the others what they must say.

    Example:
        >>> described_settings()[0].section, described_settings()[0].name
        ('retailer', 'name')
    """
    defaults = Settings()
    found: list[Described] = []
    for part in fields(defaults):
        value = getattr(defaults, part.name)
        sections = value if isinstance(value, Mapping) else {"": value}
        for number, (key, section) in enumerate(sections.items()):
            title = f"{part.name}.{key}" if key else part.name
            described = _described(title, section)
            found.extend(described if number == 0 else [d for d in described if d.name in _ALWAYS])
    return found


def settings_text(given: Mapping[str, Mapping[str, str]]) -> str:
    """Write the file a new workspace starts with.

    Args:
        given: Values that differ from the defaults, by section and name.

    Returns:
        TOML in which every setting is there: what was given is set, the rest is commented
        out with its default. Channels are set, because naming one replaces the default ones.
    """
    lines = ["# Settings of this workspace. A line that starts with # has its default value."]
    section = ""
    for setting in described_settings():
        if setting.section != section:
            section = setting.section
            lines += ["", f"[{section}]"]
        chosen = given.get(section, {}).get(setting.name)
        lines.append(f"# {setting.means}")
        value = setting.default if chosen is None else chosen
        is_set = chosen is not None or (section.startswith("channels.") and setting.name in _ALWAYS)
        lines.append(f"{'' if is_set else '# '}{setting.name} = {toml_value(value)}")
    return "\n".join(lines) + "\n"


def toml_value(value: Any) -> str:
    r"""Write one value as TOML does.

    Returns:
        Numbers and booleans bare, lists in brackets, everything else as a quoted string, money
        included.

    Example:
        >>> toml_value('the "corner" shop'), toml_value(True), toml_value(0.05)
        ('"the \\"corner\\" shop"', 'true', '0.05')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if is_dataclass(value):
        entries = (f"{p.name} = {toml_value(getattr(value, p.name))}" for p in fields(value))
        return f"{{{', '.join(entries)}}}"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'


def _described(section: str, value: Any) -> list[Described]:
    if not is_dataclass(value):
        return []
    means = _meanings(type(value))
    return [
        Described(section, part.name, getattr(value, part.name), means[part.name])
        for part in fields(value)
    ]


def _meanings(kind: type) -> dict[str, str]:
    _, _, attributes = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")
    entries = re.findall(r"^    (\w+): (.*(?:\n      +.*)*)", attributes, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}
