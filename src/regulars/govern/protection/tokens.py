"""Tokens: a keyed hash of a normalised phone number, e-mail address or other identifier."""

import hmac
import re
import unicodedata

from regulars.govern.masking import mask_email, mask_id, mask_name, mask_phone

REGION = "CN"
UNREADABLE = "text"
"""Kind of a value that stood where an identifier belongs and could not be read as one."""

_TOKEN = re.compile(r"tok_[a-z]+_[0-9a-f]{32}")
_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})")
_INTERNATIONAL = re.compile(r"\+[1-9]\d{7,14}")
_BETWEEN_DIGITS = re.compile(r"[\s().-]+")
_WHOLE_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}")
_ID_CARD = re.compile(r"[0-9A-Z]{6,20}")


def token_of(key: bytes, kind: str, normalised: str) -> str:
    """Give the token of a value.

    Args:
        key: The workspace's token key, 32 bytes.
        kind: "phone", "email"...
        normalised: What `normalise` made of the value.

    Returns:
        `tok_<kind>_` and 32 hexadecimal digits; equal values give equal tokens.

    Source:
        HMAC (RFC 2104) with SHA-256, cut to 128 bits; keyed, because all mobile numbers can be
        hashed in minutes and a plain hash of one hides nothing.

    Example:
        >>> token_of(bytes(32), "phone", "+8613800138000")
        'tok_phone_adb084e38d770d8376bdf3e43b6715fa'
    """
    text = f"{kind}\0{normalised}".encode("utf-8", "surrogatepass")
    return f"tok_{kind}_{hmac.digest(key, text, 'sha256').hex()[:32]}"


def is_token(text: str) -> bool:
    """Tell whether a text is a token already.

    Returns:
        True for the form of a token, of whatever key.

    Example:
        >>> is_token("tok_phone_" + "0" * 32), is_token("tok_phone")
        (True, False)
    """
    return text.startswith("tok_") and _TOKEN.fullmatch(text) is not None


def kind_of_token(token: str) -> str:
    """Give the kind a token names; "" for what is no token.

    Returns:
        The kind's name.

    Example:
        >>> kind_of_token("tok_email_" + "0" * 32), kind_of_token("u1")
        ('email', '')
    """
    return token.split("_")[1] if is_token(token) else ""


def normalise(kind: str, text: str) -> str | None:
    """Write a value in the one way that is hashed.

    Args:
        kind: "phone", "email", "idcard", "bankcard", "address", "name" or "text".
        text: The value as given.

    Returns:
        A phone number as E.164 (mainland China where no country is given), an e-mail address
        in lower case, anything else without what carries no meaning; None when the text
        cannot be read as the kind.

    Example:
        >>> normalise("phone", "138 0013-8000"), normalise("phone", "+1 650-253-0000")
        ('+8613800138000', '+16502530000')
        >>> normalise("email", " Ann@Example.COM "), normalise("phone", "12345")
        ('ann@example.com', None)
    """
    text = unicodedata.normalize("NFKC", text).strip()
    if kind == "phone":
        return phone_number(text)
    if kind == "email":
        text = text.lower()
        return text if _WHOLE_EMAIL.fullmatch(text) else None
    if kind in {"idcard", "bankcard"}:
        text = _BETWEEN_DIGITS.sub("", text).upper()
        return text if _ID_CARD.fullmatch(text.removeprefix("IBAN")) else None
    if kind == "name":
        return " ".join(text.casefold().split()) or None
    if kind == "address":
        return "".join(text.casefold().split()) or None
    return text or None


def phone_number(text: str) -> str | None:
    """Read a phone number.

    Args:
        text: NFKC-normalised.

    Returns:
        E.164; None for what is no phone number. A plain Chinese mobile number is read without
        the numbering plans, which take 30 times as long, with the same result.

    Source:
        ITU-T E.164, numbering plans by libphonenumber; a mainland mobile number counts by its
        shape, because new ranges are opened before the plans know them.

    Example:
        >>> phone_number("0086 13800138000"), phone_number("021-62345678"), phone_number("N/A")
        ('+8613800138000', '+862162345678', None)
    """
    mobile = _MOBILE.fullmatch(_BETWEEN_DIGITS.sub("", text))
    return f"+86{mobile[1]}" if mobile else by_numbering_plan(text)


def by_numbering_plan(text: str) -> str | None:
    """Read a phone number by the numbering plans of the world.

    Returns:
        E.164; None for what is no valid number.

    Example:
        >>> by_numbering_plan("+44 20 7946 0958"), by_numbering_plan("10086")
        ('+442079460958', None)
    """
    import phonenumbers  # noqa: PLC0415 - large tables, needed for few values

    if sum(letter.isdigit() for letter in text) < 7:
        return None
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        return None
    found = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    is_mobile = _MOBILE.fullmatch(found) is not None
    return found if is_mobile or phonenumbers.is_valid_number(number) else None


def kind_of_id(text: str) -> str:
    """Tell what an id is by its shape: a retailer may use phone numbers as login ids.

    Returns:
        "phone", "email" or "" for any other id.

    Example:
        >>> kind_of_id("13800138000"), kind_of_id("ann@example.com"), kind_of_id("10086")
        ('phone', 'email', '')
    """
    if "@" in text:
        return "email" if _WHOLE_EMAIL.fullmatch(text.strip()) else ""
    plain = _BETWEEN_DIGITS.sub("", text)
    is_phone = _MOBILE.fullmatch(plain) or (
        _INTERNATIONAL.fullmatch(plain) and by_numbering_plan(plain)
    )
    return "phone" if is_phone else ""


def mask(kind: str, text: str) -> str:
    """Cover a value so that it can be shown to everybody.

    Args:
        kind: As for `normalise`.
        text: The clear value.

    Returns:
        What a page may show: the ends of a phone number, the domain of an address...

    Example:
        >>> mask("phone", "+8613800138000"), mask("email", "ann@example.com"), mask("text", "x")
        ('138****8000', 'a***@example.com', '****')
    """
    if kind == "phone":
        return mask_phone(text)
    if kind == "email":
        return mask_email(text)
    if kind == "name":
        return mask_name(text)
    return mask_id(text) if kind in {"idcard", "bankcard"} else "****"
