"""Money, numbers and shares as a reader of a language writes them."""

from decimal import Decimal
from math import floor, log10

from babel import numbers

WHOLE_MONEY_FROM = 1000
MINUS = "\N{MINUS SIGN}"
EMPTY = "\N{EN DASH}"
_PLAIN = -6

Amount = Decimal | float | None


def money(value: Amount, currency: str, locale: str) -> str:
    """Write money; large amounts without cents.

    Args:
        value: The amount; None when there is none.
        currency: ISO 4217 code.
        locale: Language as Babel names it: "en", "zh_CN".

    Returns:
        A dash for None.

    Example:
        >>> money(Decimal("12.5"), "CNY", "zh_CN"), money(-1234.6, "USD", "en")
        ('¥12.50', '−$1,235')
    """
    if value is None:
        return EMPTY
    is_whole = abs(float(value)) >= WHOLE_MONEY_FROM
    text = numbers.format_currency(
        value,
        currency,
        format="¤#,##0;-¤#,##0" if is_whole else None,
        locale=locale,
        currency_digits=not is_whole,
    )
    return text.replace("CN¥", "¥").replace("-", MINUS)


def change(value: Amount, currency: str, locale: str) -> str:
    """Write money gained or lost, with its sign.

    Args:
        value: The amount; None when there is none.
        currency: ISO 4217 code.
        locale: Language as Babel names it.

    Returns:
        A dash for None.

    Example:
        >>> change(3.0, "CNY", "en"), change(-3.0, "CNY", "en"), change(None, "CNY", "en")
        ('+¥3.00', '−¥3.00', '–')
    """
    text = money(value, currency, locale)
    return f"+{text}" if value is not None and value > 0 else text


def rounded(value: Amount, locale: str, places: int, *, sign: bool = False) -> str:
    """Write a number with so many decimals.

    Args:
        value: The number; None when there is none.
        locale: Language as Babel names it.
        places: Decimals, 0 or more.
        sign: Write + before what is above 0.

    Returns:
        A dash for None; 0 without a sign, also where it is only rounded to it.

    Example:
        >>> rounded(-0.0553, "en", 3), rounded(1841.46, "zh_CN", 1, sign=True)
        ('−0.055', '+1,841.5')
        >>> rounded(-0.0001, "en", 2), rounded(None, "en", 2)
        ('0.00', '–')
    """
    if value is None:
        return EMPTY
    text = number(round(float(value), places) + 0.0, locale, "#,##0." + "0" * places)
    return f"+{text}" if sign and text.strip("0,.") and value > 0 else text


def digits(value: Amount, locale: str, count: int, *, sign: bool = False) -> str:
    """Write a number with so many digits that say something.

    Args:
        value: The number; None when there is none.
        locale: Language as Babel names it.
        count: Digits from the first that is not 0; 1 or more.
        sign: Write + before what is above 0.

    Returns:
        A dash for None; large numbers whole; below a millionth with a power of ten.

    Example:
        >>> digits(0.0128034, "en", 3), digits(-1.00691, "en", 4), digits(747_291.3, "en", 4)
        ('0.0128', '−1.007', '747,291')
        >>> digits(2.368e-13, "en", 2)
        '2.4e-13'
    """
    if value is None:
        return EMPTY
    size_of = floor(log10(abs(float(value)))) if value else 0
    if size_of < _PLAIN:
        return f"{float(value):{'+' if sign else ''}.{count - 1}e}"
    return rounded(value, locale, max(count - 1 - size_of, 0), sign=sign)


def number(value: Amount, locale: str, form: str = "") -> str:
    """Write a number: whole ones whole, small ones with up to two decimals.

    Args:
        value: The number; None when there is none.
        locale: Language as Babel names it.
        form: Pattern to use instead, as Unicode TR 35 writes it.

    Returns:
        A dash for None.

    Example:
        >>> number(1234567, "en"), number(0.25, "en"), number(-12.04, "en", "#,##0.0")
        ('1,234,567', '0.25', '−12.0')
    """
    if value is None:
        return EMPTY
    form = form or ("#,##0" if isinstance(value, int) or abs(float(value)) >= 100 else "#,##0.##")
    return numbers.format_decimal(value, format=form, locale=locale).replace("-", MINUS)


def share(value: float | None, locale: str, *, sign: bool = False) -> str:
    """Write a share as per cent, a small one with a decimal, a very small one with two.

    Args:
        value: The share, 1 for all; None when there is none.
        locale: Language as Babel names it.
        sign: Write + before what is above 0, for a change.

    Returns:
        A dash for None.

    Example:
        >>> share(0.9, "en"), share(0.0412, "en"), share(0.0021, "en"), share(None, "en")
        ('90%', '4.1%', '0.21%', '–')
        >>> share(0.031, "en", sign=True), share(-0.12, "zh_CN", sign=True)
        ('+3.1%', '−12%')
    """
    if value is None:
        return EMPTY
    form = "0%" if abs(value) >= 0.095 else "0.#%" if abs(value) >= 0.0095 else "0.##%"
    text = numbers.format_percent(value, format=form, locale=locale).replace("-", MINUS)
    return f"+{text}" if sign and value > 0 else text


def size(count: int, locale: str) -> str:
    """Write a number of bytes.

    Args:
        count: Bytes.
        locale: Language as Babel names it.

    Returns:
        In the largest unit that leaves at least one.

    Example:
        >>> size(512, "en"), size(1_300_000, "zh_CN")
        ('512 B', '1.3 MB')
    """
    value, unit = float(count), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    form = "#,##0" if unit == "B" else "#,##0.0"
    return f"{numbers.format_decimal(value, format=form, locale=locale)} {unit}"
