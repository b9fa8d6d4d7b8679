"""Templates: read and checked once per version, rendered once per customer."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression
from liquid.builtin.expressions.path import Path
from liquid.builtin.expressions.primitive import IntegerLiteral, RangeLiteral
from liquid.exceptions import LiquidError, LiquidInterrupt, OutputStreamLimitError
from liquid.expression import Expression
from markupsafe import escape

from regulars.errors import InputError
from regulars.reach.content.templating.environment import (
    MOST_OUTPUT,
    Bounded,
    ContentEnvironment,
    HoleError,
    Limited,
)
from regulars.reach.content.templating.filters import Refused
from regulars.reach.content.templating.holding import check_signs

MOST_SOURCE = 262_144
MOST_RANGE = 1_000
_RAW = re.compile(r"\{%-?\s*(raw|endraw)\b")


class RenderError(Exception):
    """A template that cannot be rendered for one customer.

    Args:
        reason: "empty" where a value is missing, "limit" or "wrong" otherwise.
        detail: What is missing or wrong, without the customer's values.
    """

    def __init__(self, reason: str, detail: str) -> None:
        """Keep both."""
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}")


class Template:
    """One text of a content.

    Args:
        source: Liquid.
        where: What it is, for messages: "subject", "html"...
        html: True when values are to be escaped for HTML.

    Raises:
        InputError: It cannot be read, or uses what a template may not.
    """

    def __init__(self, source: str, *, where: str, html: bool = False) -> None:
        """Read and check the source."""
        if len(source) > MOST_SOURCE:
            raise InputError(
                f"{where} has {len(source)} letters, must have at most {MOST_SOURCE}; shorten it"
            )
        check_signs(source, where=where)
        if _RAW.search(source):
            raise InputError(f"{where} uses raw, which leaves Liquid in the message; write it out")
        try:
            self._bound = environment(html=html).from_string(source)
            nodes = list(_walk(self._bound.nodes, self._bound))
            found = self._bound.analyze(include_partials=False)
        except (LiquidError, RecursionError) as error:
            raise InputError(f"{where}: {_said(error)}; mend the template") from error
        self.where, self.source = where, source
        self.paths = frozenset(
            ".".join(map(str, one.segments))
            for group in found.globals.values()
            for one in group
            if _is_plain(one.segments, where)
        )
        self._check(nodes, found.filters)
        # What a template assigns may hide what it was given; what it leaves out leaves lines.
        self.is_plain = all(_kind(node) in {"ContentNode", "Whole"} for node in self._bound.nodes)
        self._texts, self._holes = _parts(self._bound.nodes, html=html, is_plain=self.is_plain)

    def render(self, values: Mapping[str, Any]) -> str:
        """Render the text for one customer.

        Args:
            values: What the template may read, and nothing else.

        Returns:
            The text: without Liquid, and without an empty place where a value belongs.

        Raises:
            RenderError: A value is missing and has no default, or a limit was reached.
        """
        try:
            return self._filled(values)
        except HoleError as error:
            raise RenderError("empty", _said(error)) from error
        except LiquidError as error:
            is_limit = "Limit" in type(error).__name__
            is_missing = type(error).__name__ == "UndefinedError"
            reason = "limit" if is_limit else "empty" if is_missing else "wrong"
            is_ours = is_limit or is_missing or isinstance(error, Refused)
            # What Liquid's own filters say may repeat what they were given.
            raise RenderError(reason, _said(error) if is_ours else type(error).__name__) from error
        except (LiquidInterrupt, ArithmeticError, ValueError, TypeError, RecursionError) as error:
            raise RenderError("wrong", type(error).__name__) from error

    def _filled(self, values: Mapping[str, Any]) -> str:
        """Fill the holes: a plain value by looking it up, the rest by what Liquid does."""
        context: Bounded | None = None
        found, is_odd = self._texts.copy(), False
        for place, hole in self._holes:
            text = hole.read(values) if isinstance(hole, Plain) else None
            if text is None:
                node = hole.node if isinstance(hole, Plain) else hole
                context = context or Bounded(self._bound, globals=values)
                buffer = Limited(MOST_OUTPUT, context.until)
                node.render_to_output(context, buffer)
                text = buffer.getvalue()
            found[place] = text
            is_odd = is_odd or "{" in text
        whole = "".join(found)
        if len(whole) > MOST_OUTPUT:
            raise OutputStreamLimitError(f"more than {MOST_OUTPUT} letters", token=None)
        # A value may bring signs of Liquid in: nothing runs it, but nobody may see it either.
        if is_odd and ("{{" in whole or "{%" in whole):
            raise RenderError("wrong", f"{self.where} holds Liquid after it was rendered")
        return whole

    def _check(self, nodes: list[Any], filters: Mapping[str, Any]) -> None:
        known = environment(html=False).filters
        unknown = sorted(set(filters) - set(known))
        if unknown:
            raise InputError(
                f"{self.where} uses the filter {unknown[0]!r}; known: {', '.join(sorted(known))}"
            )
        for one in nodes:
            if isinstance(one, RangeLiteral):
                ends = (one.start, one.stop)
                if not all(isinstance(end, IntegerLiteral) for end in ends) or not (
                    0 <= ends[1].value - ends[0].value < MOST_RANGE  # type: ignore[attr-defined]
                ):
                    raise InputError(
                        f"{self.where} counts over {one}; give two whole numbers at most "
                        f"{MOST_RANGE} apart"
                    )


@cache
def environment(*, html: bool) -> ContentEnvironment:
    """Give the environment of HTML, or of plain texts."""
    return ContentEnvironment(autoescape=html)


class Plain:
    """An output of one field as it is: `{{ profile.city }}`.

    Args:
        node: The output.
        names: Names of the root and the field.
        html: True when it is to be escaped.
    """

    __slots__ = ("_field", "_html", "_root", "node")

    def __init__(self, node: Node, names: list[str], *, html: bool) -> None:
        """Keep the names."""
        self.node, self._html = node, html
        self._root, self._field = names

    def read(self, values: Mapping[str, Any]) -> str | None:
        """Give the text of the field; None when that takes more than looking it up."""
        root = values.get(self._root)
        value = root.get(self._field) if type(root) is dict else None
        if type(value) is not str or not value or value.isspace():
            return None
        return str(escape(value)) if self._html else value


Hole = Plain | Node


def _kind(node: Node) -> str:
    return type(node).__name__


def _parts(
    nodes: list[Node], *, html: bool, is_plain: bool
) -> tuple[list[str], list[tuple[int, Hole]]]:
    """Tell the texts of a template, with "" where something is filled in, and what is."""
    texts: list[str] = []
    holes: list[tuple[int, Hole]] = []
    for node in nodes:
        text = getattr(node, "text", None) if _kind(node) == "ContentNode" else None
        if text is None:
            names = _names(node) if is_plain else None
            holes.append((len(texts), Plain(node, names, html=html) if names else node))
        texts.append(text or "")
    return texts, holes


def _names(node: Node) -> list[str] | None:
    """The two names of an output of one field without filters; None for any other node."""
    expression = getattr(node, "expression", None)
    if not isinstance(expression, FilteredExpression) or expression.filters:
        return None
    path = expression.left.path if isinstance(expression.left, Path) else []
    is_field = len(path) == 2 and all(isinstance(name, str) for name in path)
    return [str(name) for name in path] if is_field else None


def _walk(nodes: Any, bound: Any) -> Iterator[Node | Expression]:
    """Every node and expression of a template."""
    context = Bounded(bound)
    waiting = list(nodes)
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, Node):
            waiting += [*one.children(context, include_partials=False), *one.expressions()]
        else:
            waiting += one.children()


def _is_plain(segments: Any, where: str) -> bool:
    if any(not isinstance(part, str | int) for part in segments):
        raise InputError(
            f"{where} looks a value up by another value; name the field, as in product.name"
        )
    return True


def _said(error: BaseException) -> str:
    text = str(getattr(error, "message", None) or error).splitlines()
    return text[0][:200] if text else type(error).__name__
