"""The reference pages of public Python names: signature, summary, sections and example."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

MADE = "*Written by `make docs` from the code; edit the code, not this page.*"
WIDTH = 96
_LISTED = ("Args", "Attributes", "Raises")
_SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Source|Example):$")
_ITEM = re.compile(r"^(\w[\w., ]*?): +(.*)$")


def python_page(title: str, modules: list[str]) -> str:
    """Give the page of some modules of the package.

    Args:
        title: Title of the page.
        modules: Their names, each with `__all__`.

    Returns:
        Markdown: signature, summary, arguments and example of every name.

    Example:
        >>> "### factor_grid" in python_page("Assignment", ["regulars.decide.assignment"])
        True
    """
    lines = [f"# {title}", "", MADE, ""]
    lines += [
        "No workspace is needed: give plain arrays, and frames or Ibis tables where it says so."
    ]
    for name in modules:
        module = import_module(name)
        lines += ["", f"## {name}", "", *_prose(_doc(module)), ""]
        lines += [f"```python\nfrom {name} import ...\n```"]
        for word in sorted(module.__all__, key=lambda one: (one.upper() == one, one.lower())):
            lines += _described(module, word)
    return "\n".join(lines) + "\n"


def functions_of(modules: list[str]) -> Iterator[tuple[str, Any]]:
    """Give every public function of some modules.

    Args:
        modules: Their names, each with `__all__`.

    Yields:
        Full name and function.
    """
    for name in modules:
        module = import_module(name)
        for word in module.__all__:
            if inspect.isfunction(getattr(module, word)):
                yield f"{name}.{word}", getattr(module, word)


def _described(module: ModuleType, word: str) -> list[str]:
    thing = getattr(module, word)
    if inspect.isfunction(thing):
        return ["", f"### {word}", "", *_code(_signature(_node(thing))), *_sections(_doc(thing))]
    if inspect.isclass(thing):
        return ["", f"### {word}", "", *_class(thing)]
    if isinstance(thing, dict):
        keys = ", ".join(f"`{key}`" for key in thing)
        return ["", f"### {word}", "", f"A mapping with the keys {keys}."]
    return ["", f"### {word}", "", f"`{thing!r}`" if not callable(thing) else "A type."]


def _class(thing: type) -> list[str]:
    node = _node(thing)
    kinds = ", ".join(ast.unparse(base) for base in node.bases)
    fields = [
        "    " + ast.unparse(part)
        for part in node.body
        if isinstance(part, (ast.AnnAssign, ast.Assign))
    ]
    lines = _code("\n".join([f"class {thing.__name__}{f'({kinds})' if kinds else ''}:", *fields]))
    lines += _sections(_doc(thing))
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and not part.name.startswith("_"):
            member = inspect.getattr_static(thing, part.name)
            said = _doc(getattr(member, "fget", None) or getattr(member, "__func__", member))
            named = f"{thing.__name__}.{part.name}"
            lines += ["", f"#### {named}", "", *_code(_signature(part)), *_sections(said)]
    return lines


def _node(thing: Any) -> Any:
    return ast.parse(textwrap.dedent(inspect.getsource(thing))).body[0]


def _doc(thing: Any) -> str:
    return inspect.cleandoc(thing.__doc__ or "")


def _code(text: str) -> list[str]:
    return ["```python", text, "```", ""]


def _signature(node: ast.FunctionDef) -> str:
    marks = [ast.unparse(one) for one in node.decorator_list]
    head = "@property\n" if "property" in marks else ""
    parts, returned = _parameters(node.args), ast.unparse(node.returns) if node.returns else "None"
    short = f"{head}def {node.name}({', '.join(parts)}) -> {returned}"
    if max(len(line) for line in short.split("\n")) <= WIDTH:
        return short
    inner = "".join(f"    {part},\n" for part in parts)
    return f"{head}def {node.name}(\n{inner}) -> {returned}"


def _parameters(given: ast.arguments) -> list[str]:
    plain = [*given.posonlyargs, *given.args]
    missing: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults))
    parts = [
        _parameter(one, value)
        for one, value in zip(plain, [*missing, *given.defaults], strict=True)
    ]
    parts = [part for part in parts if part not in {"self", "cls"}]
    if given.vararg:
        parts.append("*" + _parameter(given.vararg, None))
    elif given.kwonlyargs:
        parts.append("*")
    parts += [
        _parameter(one, value)
        for one, value in zip(given.kwonlyargs, given.kw_defaults, strict=True)
    ]
    return parts


def _parameter(one: ast.arg, value: ast.expr | None) -> str:
    text = f"{one.arg}: {ast.unparse(one.annotation)}" if one.annotation else one.arg
    return f"{text} = {ast.unparse(value)}" if value is not None else text


def _sections(doc: str) -> list[str]:
    lines: list[str] = []
    for name, body in _split(doc):
        if name in _LISTED:
            lines += ["", f"**{name}**", "", *_items(body)]
        elif name == "Example":
            lines += ["", f"**{name}**", "", *_code(body.rstrip())[:-1]]
        elif name:
            lines += ["", f"**{name}** {' '.join(body.split())}"]
        else:
            lines += _prose(body)
    return lines


def _split(doc: str) -> list[tuple[str, str]]:
    """Cut a docstring into its sections; what stands before the first has no name."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in doc.split("\n"):
        head = _SECTION.match(line)
        if head:
            found.append((head[1], []))
        else:
            found[-1][1].append(line)
    return [(name, inspect.cleandoc("\n" + "\n".join(lines))) for name, lines in found]


def _items(body: str) -> list[str]:
    """Make a list of `name: meaning`, continuation lines joined."""
    items: list[str] = []
    for line in body.split("\n"):
        head = _ITEM.match(line)
        if head:
            items.append(f"- `{head[1]}`: {head[2]}")
        elif items:
            items[-1] += f" {line.strip()}"
        elif line.strip():
            items.append(f"- {line.strip()}")
    return items


def _prose(text: str) -> list[str]:
    """Keep paragraphs; show lines of code standing in them as code."""
    lines: list[str] = []
    for part in re.split(r"\n\s*\n", text.strip()):
        shown = part.split("\n")
        is_code = all(re.match(r"^(\w+ = |\w+(\.\w+)*\()", line) for line in shown)
        lines += ["", *(_code(part)[:-1] if is_code else shown)]
    return lines[1:]
