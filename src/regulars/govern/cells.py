"""Cells of a list that do nothing when a spreadsheet opens them.

Source: OWASP, CSV Injection: a cell that begins with = + - @, a tab or a return may be run as a
formula; an apostrophe before it makes it text.
"""

import re

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,6})?")


def harmless(text: str) -> str:
    r"""Write a cell so that it is text.

    Returns:
        The text; with an apostrophe before it where it could be run. Phone numbers and other
        plain numbers stay as they are.

    Example:
        >>> harmless('=HYPERLINK("http://x")'), harmless("+8613912345678"), harmless("花")
        ('\'=HYPERLINK("http://x")', '+8613912345678', '花')
    """
    text = text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
    if _NUMBER.fullmatch(text) or not text.lstrip(" \n").startswith(_FORMULA):
        return text
    return f"'{text}"
