"""Templates as the provider has them, asked for once an hour: approved or not, and for what."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

_KEPT = timedelta(hours=1)
_KEPT_UNAPPROVED = timedelta(minutes=5)


@dataclass(frozen=True)
class Template:
    """One template.

    Attributes:
        is_approved: False while it is reviewed, or was rejected; None when nobody could say.
        content: Its text; "" when not known.
        is_marketing: Whether it was approved for marketing; None when the provider does not say.
    """

    is_approved: bool | None
    content: str = ""
    is_marketing: bool | None = None


UNKNOWN = Template(is_approved=None)


class Templates:
    """Remembers what the provider said of templates.

    Args:
        ask: Asks the provider about one; UNKNOWN when it gives no usable answer.
    """

    def __init__(self, ask: Callable[[str], Awaitable[Template]]) -> None:
        """Ask nothing yet."""
        self._ask = ask
        self._known: dict[str, tuple[Template, datetime]] = {}

    async def get(self, name: str, *, now: datetime) -> Template:
        """Give one template.

        Returns:
            What the provider says, at most an hour old; five minutes while not approved.
        """
        known = self._known.get(name)
        if known is not None and now < known[1]:
            return known[0]
        found = await self._ask(name)
        kept = _KEPT_UNAPPROVED if found.is_approved is False else _KEPT
        self._known[name] = (found, now + kept)
        return found


def refusal_of(template: Template, *, is_marketing: bool) -> str:
    """Say why a template cannot carry a message.

    Returns:
        Reason code; "" when it can, as far as is known.

    Example:
        >>> refusal_of(Template(True, is_marketing=False), is_marketing=True)
        'template_not_for_marketing'
    """
    if template.is_approved is False:
        return "template_not_approved"
    if is_marketing and template.is_marketing is False:
        return "template_not_for_marketing"
    return ""
