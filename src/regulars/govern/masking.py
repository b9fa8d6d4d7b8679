"""Masking: what is left of a name, a phone number or an address when it is covered."""

import re

EMAIL = re.compile(
    r"[A-Za-z0-9._+-]{0,63}[A-Za-z0-9](?:@|%40)(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}"
)
"""An e-mail address inside other text, also where a URL has escaped its sign."""

_PHONE = re.compile(
    r"(?<![\w.])(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![\w-]|\.\d)"
    r"|(?<![\w.+])\+[1-9]\d{7,14}(?!\w)",
    re.ASCII,
)
_ID_CARD = re.compile(r"(?<![\w.])[1-9]\d{5}(?:19|20)\d{2}[01]\d[0-3]\d{4}[\dXx](?!\w)", re.ASCII)


def mask_name(name: str) -> str:
    """Keep the first character of a name.

    Returns:
        A text as long for every name.

    Example:
        >>> mask_name("王小明"), mask_name("Ann Lee")
        ('王**', 'A**')
    """
    return f"{name[0]}**" if name.strip() else name


def mask_phone(phone: str) -> str:
    """Keep the last four digits of a phone number, and the first three of a long one.

    Returns:
        Nothing but stars for a number too short to cover in part.

    Example:
        >>> mask_phone("13800138000"), mask_phone("+86 138 0013 8000"), mask_phone("12345")
        ('138****8000', '138****8000', '****')
    """
    digits = phone_digits(phone)
    if len(digits) < 8:
        return "****"
    return f"{digits[:3] if len(digits) > 10 else ''}****{digits[-4:]}"


def mask_email(email: str) -> str:
    """Keep the first character and the domain of an e-mail address.

    Returns:
        Nothing but stars for what is no address.

    Example:
        >>> mask_email("ann.lee@example.com"), mask_email("broken")
        ('a***@example.com', '***')
    """
    local, at, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}" if at else "***"


def mask_id(value: str) -> str:
    """Keep the last two characters of an outside id.

    Returns:
        Nothing but stars for a short one.

    Example:
        >>> mask_id("wx_9f3kq2")
        '****q2'
    """
    return f"****{value[-2:]}" if len(value) > 6 else "****"


def phone_digits(phone: str) -> str:
    """Give the digits of a phone number without China's country code.

    Returns:
        Digits only; empty when there were none.

    Example:
        >>> phone_digits("+86 138-0013-8000"), phone_digits("8613800138000")
        ('13800138000', '13800138000')
    """
    digits = re.sub(r"\D", "", phone)
    return digits[2:] if len(digits) == 13 and digits.startswith("86") else digits


def redacted(text: str) -> str:
    """Mask what has the shape of a direct identifier inside a text.

    Args:
        text: A message, a line of a log, a cell of a refused row.

    Returns:
        The text with mainland mobile numbers, numbers with a country code, e-mail addresses
        and identity card numbers masked. Names and street addresses have no shape and stay.

    Example:
        >>> redacted("no customer ann.lee@example.com, 13912345678 or +16502530000")
        'no customer a***@example.com, 139****5678 or 165****0000'
        >>> redacted("order 20260302123456 of 1767225600000")
        'order 20260302123456 of 1767225600000'
    """
    if "@" in text or "%40" in text:
        text = EMAIL.sub(lambda found: mask_email(found[0].replace("%40", "@")), text)
    text = _ID_CARD.sub(lambda found: mask_id(found[0]), text)
    return _PHONE.sub(lambda found: mask_phone(found[0]), text)
