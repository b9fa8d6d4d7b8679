"""The customer id that stands for an identifier nobody has joined with others yet."""

from hashlib import blake2b

LOGIN = "login"
PHONE = "phone"
EMAIL = "email"
COOKIE = "cookie"
_TOKENS = {"tok_phone_": PHONE, "tok_email_": EMAIL}
TOKEN_STARTS = tuple(_TOKENS)
"""What a user id begins with that is no login id but the token of something else."""


def customer_id_of(namespace: str, value: str) -> str:
    """Name the customer an identifier stands for until identities are joined.

    Args:
        namespace: Kind of identifier: "login", "phone", "cookie"...
        value: The identifier; a token when it is a phone number or an e-mail address.

    Returns:
        The value itself for a login id, which is the retailer's own id; else "c_" and 20
        hexadecimal digits, the same for the same identifier everywhere.

    Source: ours, because facts and identity must agree without asking each other.

    Example:
        >>> customer_id_of("login", "u17"), customer_id_of("cookie", "a-1")
        ('u17', 'c_9064c42858186db2d9b0')
    """
    if namespace == LOGIN:
        return value
    digest = blake2b(f"{namespace}\0{value}".encode(), digest_size=10)
    return f"c_{digest.hexdigest()}"


def primary_identifier(user_id: str | None, anonymous_id: str | None) -> tuple[str, str] | None:
    """Choose the strongest identifier an event's own two ids give.

    Args:
        user_id: The client's user id: a login id, or the token of a phone number or an
            e-mail address.
        anonymous_id: The client's id of the browser or device.

    Returns:
        Namespace and value; None when both ids are empty.

    Example:
        >>> primary_identifier("u17", "a-1"), primary_identifier(None, "a-1")
        (('login', 'u17'), ('cookie', 'a-1'))
    """
    if user_id:
        return _TOKENS.get(user_id[:10], LOGIN), user_id
    return (COOKIE, anonymous_id) if anonymous_id else None
