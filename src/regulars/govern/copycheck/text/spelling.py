"""The ways a word is written to get past a filter: pinyin, homophones, look-alikes."""

import tomllib
from functools import cache
from importlib.resources import files

from pypinyin import Style, lazy_pinyin

from regulars.govern.copycheck.text.normalise import is_han

LONGEST = 6
"""A longer term is matched as it is; nobody spells it out."""


@cache
def spellings(term: str) -> frozenset[str]:
    """Give the ways a term may be spelled beside itself, in normal form.

    One of its characters as pinyin or as a stand-in, or the whole of it as pinyin. A stand-in
    that makes an ordinary word is left out.

    Args:
        term: A term in normal form.

    Returns:
        Other spellings; empty for terms that are long or hold letters.

    Example:
        >>> sorted(spellings("顶级"))[:3]
        ['dingji', 'ding级', 'd级']
    """
    if not 2 <= len(term) <= LONGEST or not all(map(is_han, term)):
        return frozenset()
    syllables = [sound.lower() for sound in lazy_pinyin(term, style=Style.NORMAL)]
    stand_ins, words = _variants()
    found = {"".join(syllables)}
    for i, letter in enumerate(term):
        for other in (syllables[i], *stand_ins.get(letter, ())):
            found.add(term[:i] + other + term[i + 1 :])
    kept = {one for one in found if not any(word in one for word in words)}
    return frozenset(kept - {term})


def is_tight(spelling: str) -> bool:
    """Whether a spelling only counts when nothing at all stands between its characters.

    A single letter for a character (Z好) is one: "Gen Z 好物" is not an evasion.

    Returns:
        True for spellings with exactly one letter in them.

    Example:
        >>> is_tight("z好"), is_tight("zui好")
        (True, False)
    """
    letters = [one for one in spelling if one.isascii() and one.isalpha()]
    return len(letters) == 1 and len(spelling) > 1


@cache
def _variants() -> tuple[dict[str, list[str]], tuple[str, ...]]:
    path = files(__package__).joinpath("variants.toml")
    read = tomllib.loads(path.read_text("utf-8"))
    return read["stand_ins"], tuple(read["not_stand_ins"]["words"])
