"""Codes: nobody can guess one, and a code read wrong is seen before anything is looked up."""

import hashlib
import hmac
import re
import unicodedata

from regulars.errors import InputError

ALPHABET = "2346789CDFHJKMNPQRTVWXY"
"""23 signs, a prime; of signs taken for one another there is one at most, and no vowel."""

LETTERS = 12
"""Eleven signs drawn and one check sign: about 50 bits, one guess in 10^9 at a million codes."""

_LOOKALIKES = str.maketrans({"Z": "2", "G": "6", "B": "8"})
_OURS = re.compile(f"[{ALPHABET}]{{{LETTERS}}}")
_MOST_LETTERS = 64


def code_at(secret: bytes, number: int) -> str:
    """Draw one code of a batch.

    Args:
        secret: 16 random bytes or more; whoever has them knows every code of the batch, so they
            are not kept.
        number: Place of the code in its batch, 0 or more.

    Returns:
        Twelve signs, the last of which checks the others.

    Source:
        Ours: the signs of HMAC-SHA-256 of the number, by rejection, so that each is equally
        likely.

    Example:
        >>> code_at(b"sixteen bytes...", 0)
        '4RVPDCKPYYRV'
    """
    signs: list[str] = []
    block = 0
    while len(signs) < LETTERS - 1:
        text = f"{number}:{block}".encode()
        drawn = hmac.new(secret, text, hashlib.sha256).digest()
        # 253 is the greatest multiple of 23 a byte holds.
        signs += [ALPHABET[byte % 23] for byte in drawn if byte < 253]
        block += 1
    drawn_signs = "".join(signs[: LETTERS - 1])
    return drawn_signs + check_sign(drawn_signs)


def check_sign(signs: str) -> str:
    """Give the sign that makes a code whole.

    Any one sign read wrong, and any two exchanged, give another check sign.

    Args:
        signs: Signs of the alphabet, 22 at most.

    Returns:
        One sign.

    Source:
        A weighted sum modulo a prime, as of ISBN-10: weights 2, 3, 4... differ, and 23 divides
        no difference of two of them.

    Example:
        >>> check_sign("22222222222") != check_sign("22222222223")
        True
    """
    total = sum(weight * ALPHABET.index(sign) for weight, sign in enumerate(signs, 2))
    return ALPHABET[-total % 23]


def is_whole(code: str) -> bool:
    """Tell whether a code of ours was read as it was written.

    Args:
        code: As `normal` gives it.

    Returns:
        True for every code of another maker too: only the length and signs of ours are checked.

    Example:
        >>> is_whole("SPRING10")
        True
    """
    if len(code) != LETTERS or not _OURS.fullmatch(code):
        return True
    return check_sign(code[:-1]) == code[-1]


def normal(text: str) -> str:
    """Give a code as it is kept: without case, spaces and dashes.

    Args:
        text: As a customer typed it or a till scanned it.

    Returns:
        The code; signs that are in none of our codes are read as what they look like where the
        whole has the length of ours.

    Raises:
        InputError: Nothing is left, or more than 64 letters.

    Example:
        >>> normal(" spring-10 "), normal("zzzz-bbbb-gggg")
        ('SPRING10', '222288886666')
    """
    folded = unicodedata.normalize("NFKC", text).upper()
    code = "".join(sign for sign in folded if sign.isalnum())
    if not code or len(code) > _MOST_LETTERS:
        raise InputError(f"code is {text[:80]!r}, must have 1 to {_MOST_LETTERS} letters or digits")
    read = code.translate(_LOOKALIKES)
    return read if _OURS.fullmatch(read) else code


def shown(code: str) -> str:
    """Give a code as people read it, in groups of four.

    Returns:
        The code with dashes.

    Example:
        >>> shown("222288886666")
        '2222-8888-6666'
    """
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))
