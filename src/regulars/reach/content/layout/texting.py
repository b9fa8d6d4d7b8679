"""Text messages: how many parts one takes, its signature, and the word to stop them."""

from dataclasses import dataclass

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWICE = frozenset("^{}\\[~]|€\f")
GSM_ONE, GSM_EACH = 160, 153
UCS_ONE, UCS_EACH = 70, 67
STOP_WORDS = ("拒收请回复", "退订", "回t", "回td", "回复t", "回复r", "stop", "unsubscribe")
STOP_BY_LANGUAGE = {"zh": "拒收请回复R", "en": "Reply STOP to opt out"}


@dataclass(frozen=True)
class Parts:
    """What a text message takes.

    Attributes:
        alphabet: "gsm-7" or "ucs-2".
        letters: Letters it counts: some count twice.
        parts: Messages it is sent and paid as.
    """

    alphabet: str
    letters: int
    parts: int


def count_parts(text: str, *, is_chinese_network: bool = True) -> Parts:
    """Count the parts of a text message.

    Args:
        text: The whole text, signature and all.
        is_chinese_network: True on mainland networks, which count 70 letters of any kind.

    Returns:
        Alphabet, letters and parts; an empty text is one part.

    Source:
        3GPP TS 23.038 (alphabets) and 23.040 (parts): 160 letters or 153 each of the 7-bit
        alphabet, 70 or 67 each of UCS-2; Aliyun and Tencent count all texts like the latter.

    Example:
        >>> count_parts("a" * 161, is_chinese_network=False)
        Parts(alphabet='gsm-7', letters=161, parts=2)
        >>> count_parts("春" * 70).parts, count_parts("春" * 71).parts, count_parts("a" * 71).parts
        (1, 2, 2)
    """
    is_gsm = not is_chinese_network and all(c in GSM or c in GSM_TWICE for c in text)
    if is_gsm:
        letters = sum(2 if letter in GSM_TWICE else 1 for letter in text)
        return Parts("gsm-7", letters, _parts(letters, GSM_ONE, GSM_EACH))
    letters = len(text.encode("utf-16-le", "surrogatepass")) // 2
    return Parts("ucs-2", letters, _parts(letters, UCS_ONE, UCS_EACH))


def dressed(text: str, *, signature: str, stop: str, locale: str, is_marketing: bool) -> str:
    """Put the signature before a text message and the word to stop them after it.

    Args:
        text: What it says.
        signature: Who sends it, without brackets; "" for none.
        stop: How to stop such messages; "" for the words of the language.
        locale: Language of the text.
        is_marketing: True for messages that must say how to stop them.

    Returns:
        The text; what it has already is not put again.

    Source:
        通信短信息服务管理规定 (2015) Art. 18 and 19: every commercial message says who sends it
        and how to refuse it.

    Example:
        >>> dressed("春茶上新", signature="街角", stop="", locale="zh-CN", is_marketing=True)
        '【街角】春茶上新，拒收请回复R'
        >>> dressed("【街角】好", signature="街角", stop="", locale="zh-CN", is_marketing=False)
        '【街角】好'
    """
    found = text.strip()
    if signature and not found.startswith("【"):
        found = f"【{signature.strip('【】')}】{found}"
    if is_marketing and not says_how_to_stop(found, stop):
        language = locale.partition("-")[0]
        words = stop or STOP_BY_LANGUAGE.get(language, STOP_BY_LANGUAGE["en"])
        between = "，" if language == "zh" else ". "
        found = found.rstrip("。.，, ") + between + words
    return found


def says_how_to_stop(text: str, stop: str = "") -> bool:
    """Tell whether a text message says how to stop such messages."""
    plain = text.replace(" ", "").lower()
    words = (*STOP_WORDS, *([stop.replace(" ", "").lower()] if stop else []))
    return any(word in plain for word in words)


def _parts(letters: int, one: int, each: int) -> int:
    return 1 if letters <= one else -(-letters // each)
