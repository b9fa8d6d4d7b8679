"""How a code gets its words."""

from collections.abc import Mapping


def N_(text: str) -> str:  # noqa: N802 - the name gettext tools look for
    """Mark a text for translation without translating it yet.

    Returns:
        The text.
    """
    return text


def word(names: Mapping[str, str], code: str | None) -> str:
    """Give the English words for a code.

    Args:
        names: Words by code.
        code: The code; None and "" give "".

    Returns:
        The words, or the code itself when nobody named it: a code of a provider is better
        than nothing.

    Example:
        >>> names = {"sms": "SMS"}
        >>> word(names, "sms"), word(names, "isv.AMOUNT_NOT_ENOUGH"), word(names, None)
        ('SMS', 'isv.AMOUNT_NOT_ENOUGH', '')
    """
    return names.get(code, code) if code else ""
