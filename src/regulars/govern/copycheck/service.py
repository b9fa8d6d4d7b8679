"""Review copy: texts somebody hands in, and every message as it is about to be sent."""

import html
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import nh3

from regulars.govern.copycheck.evidence import CatalogueName, Evidence
from regulars.govern.copycheck.findings import Copy, Finding
from regulars.govern.copycheck.kept.decisions import Decision, after_decisions, by_key
from regulars.govern.copycheck.kept.service import kept_decisions, kept_evidence, kept_names
from regulars.govern.copycheck.reviewing import reviewer
from regulars.ports.channels import Message
from regulars.ports.state import State

_NEW_LINE = re.compile(r"(?i)<(?=/?(?:p|div|td|tr|table|li|h[1-6]|br|hr|section|blockquote)\b)")
_SPOKEN = re.compile(r"(?i)\b(?:alt|title)\s*=\s*\"([^\"]{1,500})\"")


@dataclass(frozen=True)
class Known:
    """What may permit a claim.

    Attributes:
        evidence: Evidence on file.
        names: Names of the catalogue.
        decisions: Human decisions.
    """

    evidence: tuple[Evidence, ...] = ()
    names: tuple[CatalogueName, ...] = ()
    decisions: tuple[Decision, ...] = ()


class Written(Protocol):
    """What a message was rendered from, as far as a review needs it."""

    @property
    def channel(self) -> str:
        """Channel it is written for."""

    @property
    def message_class(self) -> str:
        """Whether it is marketing or transactional."""


def review(
    texts: Sequence[Copy],
    *,
    as_of: date,
    evidence: Iterable[Evidence] = (),
    catalogue: Iterable[CatalogueName] = (),
    decisions: Iterable[Decision] = (),
) -> list[Finding]:
    """Review texts against the rules in force on a day.

    Args:
        texts: The texts, rendered.
        as_of: The day; rules in force on it speak, and evidence must be valid on it.
        evidence: Evidence on file; each lifts only words its own claim covers.
        catalogue: Names that may hold words of a rule.
        decisions: Human decisions; each counts for exactly its words, product, evidence and
            version of the rule.

    Returns:
        What stands, by text and place; empty when nothing does.

    Example:
        >>> from datetime import date
        >>> found = review([Copy("欢迎选购全国最好的羽绒被")], as_of=date(2026, 11, 30))
        >>> [(one.text, one.rule, one.article, one.severity.value) for one in found]
        [('最好', 'A02', '9(3)', 'block')]
    """
    rules, proofs, names = reviewer(as_of), tuple(evidence), tuple(catalogue)
    said = by_key(decisions)
    standing: list[Finding] = []
    for copy in texts:
        found = list(rules.review(copy, evidence=proofs, names=names).findings)
        standing += after_decisions(found, copy.product, said)[0] if said and found else found
    return standing


def known_in(state: State) -> Known:
    """Give what a workspace keeps: evidence, names and decisions."""
    return Known(
        tuple(kept_evidence(state)), tuple(kept_names(state)), tuple(kept_decisions(state))
    )


def review_rendered(state: State, texts: Sequence[Copy], *, as_of: date) -> list[Finding]:
    """Review rendered texts with what the workspace keeps.

    Args:
        state: The workspace's state: evidence, names, decisions.
        texts: The texts as customers would read them.
        as_of: The day they go out.

    Returns:
        What stands; a text with a finding whose severity blocks must not go out.
    """
    known = known_in(state)
    return review(
        texts,
        as_of=as_of,
        evidence=known.evidence,
        catalogue=known.names,
        decisions=known.decisions,
    )


class RenderedReview:
    """Reads every message of a window before it is sent; made for the composer.

    Args:
        state: The workspace's state; read again for every window, so that evidence that ends
            or a decision taken back counts at once.
        today: Gives the day in the retailer's zone.
        kind: Kind of a channel by its name, such as email; the name itself when left out.
    """

    def __init__(
        self,
        state: State,
        *,
        today: Callable[[], date],
        kind: Callable[[str], str] = str,
    ) -> None:
        """Keep the parts; nothing is read yet."""
        self._state, self._today, self._kind = state, today, kind

    def __call__(self, content: Written, messages: Sequence[Message]) -> list[str]:
        """Review the messages of one content.

        Args:
            content: What they were rendered from.
            messages: The messages.

        Returns:
            "" for each that may go out, else the rules against it.
        """
        texts = [rendered_text(message) for message in messages]
        number_by_text = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        copies = [
            Copy(
                text,
                line=number,
                channel=self._kind(content.channel),
                is_marketing=content.message_class == "marketing",
            )
            for text, number in number_by_text.items()
        ]
        against: dict[int, list[str]] = {}
        for one in review_rendered(self._state, copies, as_of=self._today()):
            if one.severity.blocks:
                against.setdefault(one.line, []).append(f"{one.rule} {one.text}".strip())
        return ["; ".join(against.get(number_by_text[text], ())) for text in texts]


def rendered_text(message: Message) -> str:
    r"""Give everything a customer reads of a message, one part per line.

    Args:
        message: The message.

    Returns:
        Subject, text, the words of the page that the text does not have, and the values of a
        template; what images show is not in it, their alternative texts are.

    Example:
        >>> rendered_text(Message("", subject="上新", html="<p>最<b>好</b>的茶</p>"))
        '上新\n最好的茶'
    """
    parts = [message.subject, *message.text.split("\n")]
    seen = {part.strip() for part in parts}
    if message.html:
        page = nh3.clean(_NEW_LINE.sub("\n<", message.html), tags=set())
        words = [*html.unescape(page).split("\n"), *_SPOKEN.findall(message.html)]
        parts += [line.strip() for line in words if line.strip() not in seen]
    parts += [str(value) for value in message.parameters.values()]
    return "\n".join(part for part in parts if part.strip())
