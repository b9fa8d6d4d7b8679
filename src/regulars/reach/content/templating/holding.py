"""Holding: Liquid stands aside as plain words while a page is compiled around it."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

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
