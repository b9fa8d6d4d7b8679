"""Header fields of an e-mail: words that are not ASCII, folding, and no line of a stranger's.

Source: RFC 5322 (fields, folding), RFC 2047 (encoded words), RFC 5891 (IDNA domains).
"""

import base64
import re

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9-]{1,63})*")
_BREAKS = re.compile(r"[\r\n\x00]+[ \t]*")
# An encoded word takes 75 characters at most; 12 of them are its frame, 4 in 3 base64.
_WORD_BYTES = 45
_LINE = 76


def one_line(text: str) -> str:
    r"""Take line breaks out, so that no text can add a header field.

    Returns:
        The text on one line.

    Example:
        >>> one_line("News\r\nBcc: all@example.com")
        'News Bcc: all@example.com'
    """
    return _BREAKS.sub(" ", text).strip()


def encoded(text: str) -> str:
    """Write a text as a header may hold it.

    Returns:
        The text itself where it is ASCII, folded at spaces; else encoded words, cut between
        characters.

    Example:
        >>> encoded("Spring news"), encoded("春季上新")
        ('Spring news', '=?utf-8?b?5pil5a2j5LiK5paw?=')
    """
    text = one_line(text)
    if text.isascii() and "=?" not in text:
        return _folded(text)
    words, current = [], b""
    for character in text:
        data = character.encode()
        if len(current) + len(data) > _WORD_BYTES:
            words.append(current)
            current = b""
        current += data
    words.append(current)
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in words)


def mailbox(address: str, name: str = "") -> str:
    r"""Write an address with its name.

    Returns:
        The mailbox as From, To and Reply-To hold it.

    Example:
        >>> mailbox("shop@example.com", "Ann's, the shop")
        '"Ann\'s, the shop" <shop@example.com>'
    """
    name = one_line(name)
    if not name:
        return address
    if not name.isascii():
        return f"{encoded(name)} <{address}>"
    if _ATOMS.fullmatch(name):
        return f"{name} <{address}>"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>'


def wire_address(address: str) -> str:
    r"""Give an address as the wire takes it, its domain in ASCII.

    Returns:
        The address; "" when it is none: nothing is tried that cannot arrive, and nothing that
        would add a command or a header.

    Example:
        >>> wire_address("li@例子.公司"), wire_address("a@x.org>\r\nRCPT TO:<b@x.org")
        ('li@xn--fsqu00a.xn--55qx5d', '')
    """
    local, at, domain = address.strip().rpartition("@")
    if not at or len(local) > 64 or not _LOCAL.fullmatch(local):
        return ""
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode()
        except UnicodeError:
            return ""
    if len(domain) > 253 or not _DOMAIN.fullmatch(domain):
        return ""
    return f"{local}@{domain}"


def _folded(text: str) -> str:
    if len(text) <= _LINE:
        return text
    lines, current = [], ""
    for word in text.split(" "):
        if current and len(current) + 1 + len(word) > _LINE:
            lines.append(current)
            current = word
        else:
            current = f"{current} {word}" if current else word
    return "\r\n ".join([*lines, current])
