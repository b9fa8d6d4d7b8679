"""What a marketing SMS must hold before it is handed over.

Source: 通信短信息服务管理规定 (MIIT order 31, 2015), Art. 18-20: consent first, and a free way out
told in each message; operators take 拒收请回复R, 退订回T and their like for one.
"""

import re

_WAY_OUT = re.compile(
    r"(拒收|退订)\s*(请)?\s*(回复?|发送?)\s*[A-Z0-9]"
    r"|(请)?(回复?|发送?)\s*[A-Z0-9]{1,2}\s*(即可)?\s*(拒收|退订)"
    r"|\b(reply|text|send)\s+(STOP|R|T|TD)\b",
    re.IGNORECASE,
)


def tells_way_out(text: str, words: str) -> bool:
    """Whether a text says how to stop such messages.

    Args:
        text: What the customer reads.
        words: The words the settings ask for; "" asks for none.

    Returns:
        True when the words, or words that mean the same, are there.

    Example:
        >>> tells_way_out("全场八折,退订回T", "拒收请回复R")
        True
    """
    return not words or words in text or _WAY_OUT.search(text) is not None


def refusal_of(text: str, template: str, *, words: str) -> str:
    """Say why a marketing message must not go out.

    Args:
        text: The rendered text, "" when only the template is known.
        template: The template as the provider has it, "" when it is not known.
        words: The words the settings ask for.

    Returns:
        Reason code; "" when it may.
    """
    if tells_way_out(text, words) or (template and tells_way_out(template, words)):
        return ""
    return "no_opt_out"
