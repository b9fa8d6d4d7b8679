"""The words of the console in each language, compiled from the catalogues when first needed."""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FILE_BY_LOCALE = {"zh-CN": "zh_CN.po"}


@cache
def translations(locale: str) -> NullTranslations:
    """Give the translations of a language.

    Args:
        locale: "en" or "zh-CN"; the texts in the source are English.

    Returns:
        Translations; English ones leave every text as it is.

    Example:
        >>> translations("zh-CN").gettext("Customers"), translations("en").gettext("Customers")
        ('顾客', 'Customers')
    """
    if locale not in FILE_BY_LOCALE:
        return NullTranslations()
    text = files(__package__).joinpath("locale", FILE_BY_LOCALE[locale]).read_bytes()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(text)))
    compiled.seek(0)
    return GNUTranslations(compiled)
