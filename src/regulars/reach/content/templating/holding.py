"""Holding: Liquid stands aside as plain words while a page is compiled around it."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from regulars.errors import InputError

_SIGNS = re.compile(r"\{\{|\}\}|\{%|%\}")
MOST_LETTERS = 2_000
"""Most letters of one piece of Liquid."""

_CLOSE = {"{{": "}}", "{%": "%}"}
_LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


@dataclass
class Held:
    """A source whose Liquid was taken out.

    Attributes:
        text: The source with a word for each piece of Liquid.
        salt: What all its words begin with; it stands nowhere else in the source.
        pieces: The Liquid taken out, by number of the word.
    """

    text: str
    salt: str
    pieces: list[str] = field(default_factory=list)

    @property
    def words(self) -> re.Pattern[str]:
        """A pattern of the words, with the number as its group."""
        return re.compile(f"{self.salt}(\\d+)z")

    def word(self, piece: str) -> str:
        """Take one more piece of Liquid out.

        Returns:
            The word that stands for it.
        """
        self.pieces.append(piece)
        return f"{self.salt}{len(self.pieces) - 1}z"

    def give_back(self, text: str) -> str:
        """Put the Liquid back wherever its words stand in a text."""
        return self.words.sub(lambda found: self.pieces[int(found[1])], text)

    def missing(self, text: str) -> list[str]:
        """List the pieces whose words stand no longer in a text."""
        there = {int(found[1]) for found in self.words.finditer(text)}
        return [piece for number, piece in enumerate(self.pieces) if number not in there]


def check_signs(source: str, *, where: str) -> None:
    """Check that each sign of Liquid that opens is closed before the next one opens.

    What is not is an error anyhow, and would take readers time that grows with its square.

    Args:
        source: A template.
        where: What it is, for messages.

    Raises:
        InputError: A {{ or {% is not closed.

    Example:
        >>> check_signs("{{ a }} }} {% if b %}", where="text")
        >>> check_signs("{{ a {{ b", where="text")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        regulars.errors.InputError: text: '{{ a {{ b' is not closed; write }} before...
    """
    opened = None
    for sign in _SIGNS.finditer(source):
        if sign[0] in {"}}", "%}"}:
            if opened is not None and sign[0] == _CLOSE[opened[0]]:
                if sign.start() - opened.start() > MOST_LETTERS:
                    break
                opened = None
        elif opened is not None:
            break
        else:
            opened = sign
    if opened is not None:
        shown = source[opened.start() : opened.start() + 30]
        raise InputError(
            f"{where}: {shown!r} is not closed; write {_CLOSE[opened[0]]} before another one opens "
            f"and within {MOST_LETTERS} letters, and no such signs in quotes"
        )


def hold(source: str, *, more: Sequence[str] = ()) -> Held:
    """Take the Liquid out of a source.

    Args:
        source: A template, MJML or HTML.
        more: Other texts the words must not stand in.

    Returns:
        The source with words in place of Liquid; the words are letters and digits alone.

    Example:
        >>> source = '<a href="{{ a | append: "x" }}">{% if b %}c{% endif %}</a>'
        >>> held = hold(source)
        >>> held.pieces
        ['{{ a | append: "x" }}', '{% if b %}', '{% endif %}']
        >>> held.give_back(held.text) == source
        True
    """
    salt, texts = "lq", (source, *more)
    while any(salt in text for text in texts):
        digest = hashlib.blake2b((salt + source).encode(), digest_size=4).hexdigest()
        salt = f"lq{digest}q"
    held = Held("", salt)
    held.text = _LIQUID.sub(lambda found: held.word(found[0]), source)
    return held
