"""What a creator's link carries: whose it is, and a mark by which a page names the click."""

PARAMETER = "rg_click"
"""Parameter of the page's address that carries the mark."""
_HEAD = "creator/"
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_DIGITS = str.maketrans("abcdefghijklmnop", "0123456789abcdef")


def key_of_link(creator_id: str) -> str:
    """Give what stands in a creator's link where others have the key of a contact.

    Returns:
        The key.

    Example:
        >>> key_of_link("li")
        'creator/li'
    """
    return _HEAD + creator_id


def is_of_creator(key: str) -> bool:
    """Tell whether a key is that of a creator's link."""
    return key.startswith(_HEAD)


def key_of_clicks(key: str, address: str, day: str) -> str:
    """Give the key clicks on a creator's link are kept under.

    A contact's clicks are kept and judged together; a creator's are from everybody, so that
    those of one address and day are kept together.

    Args:
        key: What stood in the link.
        address: What stands for the network address.
        day: The day, ISO.

    Returns:
        The key.

    Example:
        >>> key_of_clicks("creator/li", "0f", "2026-03-02")
        'creator/li/0f/2026-03-02'
    """
    return f"{key}/{address}/{day}"


def judged_together(key: str, address: str) -> str:
    """Name the clicks that are judged together with one.

    Those of one contact are; on links of creators those of one address, whoever's the links
    are: a program that goes through them asks for one of each.

    Args:
        key: The key its clicks are kept under.
        address: What stands for the network address.

    Returns:
        The same text for the same group.

    Example:
        >>> judged_together("creator/li/0f/2026-03-02", "0f"), judged_together("9a3b", "0f")
        ('creator/0f', '9a3b')
    """
    return _HEAD + address if is_of_creator(key) else key


def creator_of_clicks(key: str) -> str:
    """Give whose link was clicked, by the key its clicks are kept under.

    Returns:
        The creator.

    Example:
        >>> creator_of_clicks("creator/li/0f/2026-03-02")
        'li'
    """
    return key.split("/")[1]


def mark_of_click(click_id: str) -> str:
    """Write a click as letters only: a run of digits might be taken for a phone number.

    Args:
        click_id: Hexadecimal digits.

    Returns:
        As many letters, a to p.

    Example:
        >>> mark_of_click("09af"), click_of_mark("ajkp")
        ('ajkp', '09af')
    """
    return click_id.translate(_LETTERS)


def click_of_mark(mark: str) -> str:
    """Give the click a mark names."""
    return mark.translate(_DIGITS)
