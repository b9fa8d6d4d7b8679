"""One spelling of a text for matching, each of its characters mapped back to where it stood.

Source: Unicode TR15 (NFKC) and OpenCC's table of characters; which separators are dropped is ours,
    because they are what evasions are written with.
"""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import opencc

HARD = frozenset(",。!?;:、…()[]{}\n\r")
"""Punctuation that ends a clause: a word does not reach across it."""

_KEPT = frozenset("%")
_BETWEEN_DIGITS = frozenset(".-/~")
_OPENING, _CLOSING = "([{", ")]}"
_DROPPED = {"Cf", "Mn", "Me", "Mc", "Cc", "Cs", "Co", "Cn", "Lm"}
_ROUNDS = 6
_HAN = r"[\u4e00-\u9fff]"
_RUN = re.compile(rf"(?<={_HAN})[,。!?;:、…](?={_HAN})")
_BRACKETED = re.compile(rf"[(\[{{]{_HAN}[)\]}}]")


@dataclass(frozen=True, slots=True)
class View:
    """A text as it is matched.

    Attributes:
        original: The text as it was written.
        text: One spelling of it.
        starts: Where each character of `text` starts in the original.
        ends: Where each character of `text` ends in the original.
    """

    original: str
    text: str
    starts: list[int]
    ends: list[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Give the span of the original that a span of the view was read from."""
        return self.starts[start], self.ends[end - 1]


def normalise(text: str) -> View:
    """Bring a text to one spelling.

    Full width becomes half, traditional simplified, letters small and without tones; what is
    invisible goes, and so does what stands between the characters of a word: spaces, dots,
    dashes, emoji. Marks that end a clause stay, except between single characters of a run
    (国,家,级) and behind 最, which never ends a clause. A percent sign always stays.

    Args:
        text: Any text.

    Returns:
        The view; normalising its text again changes nothing.

    Example:
        >>> normalise("最🔥强，國-家-级").text
        '最强,国家级'
    """
    if "\n" not in text:
        plain, starts, ends = _line(text)
        return View(text, plain, list(starts), list(ends))
    lines: list[str] = []
    starts_of: list[int] = []
    ends_of: list[int] = []
    offset = 0
    for line in text.split("\n"):
        plain, starts, ends = _kept_line(line)
        lines.append(plain)
        starts_of += [place + offset for place in starts]
        ends_of += [place + offset for place in ends]
        offset += len(line) + 1
        starts_of.append(offset - 1)
        ends_of.append(offset)
    return View(text, "\n".join(lines), starts_of[:-1], ends_of[:-1])


def _line(text: str) -> tuple[str, list[int], list[int]]:
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    table = _table()
    for place, letter in enumerate(text):
        for plain in table[letter]:
            letters.append(plain)
            starts.append(place)
            ends.append(place + 1)
    kept = _without_soft(letters)
    if len(kept) < len(letters):
        letters = [letters[i] for i in kept]
        starts = [starts[i] for i in kept]
        ends = [ends[i] for i in kept]
    joined = "".join(letters)
    while dropped := _splitting(joined):
        keep = [i for i in range(len(letters)) if i not in dropped]
        letters = [letters[i] for i in keep]
        starts = [starts[i] for i in keep]
        ends = [ends[i] for i in keep]
        joined = "".join(letters)
    return joined, starts, ends


@lru_cache(maxsize=4096)
def _kept_line(line: str) -> tuple[str, list[int], list[int]]:
    """Lines of a message are mostly the same for every customer: each is read once."""
    return _line(line)


def is_han(letter: str) -> bool:
    """Whether a character is a Chinese one."""
    return "\u4e00" <= letter <= "\u9fff"


def _without_soft(letters: list[str]) -> list[int]:
    soft = _softness()
    last = len(letters) - 1
    kept = []
    for i, letter in enumerate(letters):
        if not soft[letter] or (0 < i < last and _joins(letters[i - 1], letter, letters[i + 1])):
            kept.append(i)
    return kept


def _joins(before: str, letter: str, after: str) -> bool:
    """Whether a mark is part of a number or an address: 1.5, 12-3, a@b."""
    if letter in _BETWEEN_DIGITS:
        return before.isdigit() and after.isdigit()
    return letter == "@" and (before + after).isascii() and (before + after).isalnum()


def _splitting(text: str) -> set[int]:
    """Places of marks that split a word instead of ending a clause."""
    found: set[int] = set()
    for mark in _RUN.finditer(text):
        i, letter = mark.start(), mark.group()
        before = i >= 3 and text[i - 2] == letter and is_han(text[i - 3])
        after = text[i + 2 : i + 3] == letter and is_han(text[i + 3 : i + 4] or " ")
        if before or after or text[i - 1] == "最":
            found.add(i)
    for mark in _BRACKETED.finditer(text):
        found |= {mark.start(), mark.end() - 1}
    return found


class _Table(dict[str, str]):
    """What each character becomes; worked out when it is first met."""

    def __init__(self) -> None:
        super().__init__()
        self._simplified = opencc.OpenCC("t2s")
        path = files(__package__).joinpath("variants.toml")
        self._variants: dict[str, str] = tomllib.loads(path.read_text("utf-8"))["characters"]

    def __missing__(self, letter: str) -> str:
        plain = letter
        for _ in range(_ROUNDS):
            again = "".join(self._once(one) for one in plain)
            if again == plain:
                break
            plain = again
        self[letter] = plain
        return plain

    def _once(self, letter: str) -> str:
        if letter in self._variants:
            return self._variants[letter]
        if letter in "\n\r":
            return letter
        if unicodedata.category(letter) in _DROPPED and letter != "\t":
            return ""
        parts = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", letter).casefold())
        bare = "".join(one for one in parts if unicodedata.category(one) not in _DROPPED)
        simple: str = self._simplified.convert(bare) if bare else ""
        return simple


class _Softness(dict[str, bool]):
    """Whether each character is only a separator."""

    def __missing__(self, letter: str) -> bool:
        is_soft = (
            letter not in HARD and letter not in _KEPT and unicodedata.category(letter)[0] in "ZSP"
        ) or letter == "\t"
        self[letter] = is_soft
        return is_soft


@cache
def _table() -> _Table:
    return _Table()


@cache
def _softness() -> _Softness:
    return _Softness()
