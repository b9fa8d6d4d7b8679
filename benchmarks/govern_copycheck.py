"""Find every word of the rules in many copies, by one automaton and by one regular expression.

Both read the same normal form. The second row reads whole mails of 30 KB as they are about to be
sent, beside finding only the words in them by the regular expression.
Run: python benchmarks govern_copycheck.
"""

import re
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from regulars.govern.copycheck import Copy
from regulars.govern.copycheck.matching import Matcher
from regulars.govern.copycheck.reviewing import Reviewer
from regulars.govern.copycheck.rulebook.loading import rulebook
from regulars.govern.copycheck.service import rendered_text
from regulars.govern.copycheck.text.normalise import normalise
from regulars.govern.copycheck.text.spelling import spellings
from regulars.ports.channels import Message

AS_OF = date(2026, 11, 30)
CORPUS = Path(__file__).parents[1] / "tests" / "govern" / "copy_corpus"
COPIES, MAILS = 20_000, 100
CELL = "font-size:14px;line-height:22px;padding:8px 16px;color:#1f2a30;font-family:sans-serif;"
ROW = f'<tr><td align="left" style="{CELL}"><span style="{CELL}">{{text}}</span></td></tr>'


def texts() -> list[str]:
    """Give copies: the corpus again and again."""
    lines = [
        line.rsplit("\t", 1)[1]
        for path in sorted(CORPUS.glob("*.tsv"))
        for line in path.read_text("utf-8").rstrip("\n").split("\n")
    ]
    return [lines[n % len(lines)] for n in range(COPIES)]


def seconds(work: Callable[[], Any]) -> float:
    """Time one piece of work on the processor, the best of three."""
    found = []
    for _ in range(3):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def alternation() -> re.Pattern[str]:
    """Give every word of every rule as one regular expression, the longest first."""
    words = {
        word
        for rule in rulebook().rules
        for term in rule.terms
        for word in (term, *(spellings(term) if rule.is_spelled else ()))
    } | {word for rule in rulebook().rules for form in rule.forms for word in form.when}
    return re.compile("|".join(map(re.escape, sorted(words, key=lambda one: (-len(one), one)))))


def mail(number: int) -> Message:
    """Give a mail of 30 KB: most of its rows are the same for every customer."""
    rows = "".join(ROW.format(text=f"第{n}款围巾，羊毛，{n}色可选") for n in range(130))
    return Message("", subject="上新", html=f"<p>顾客{number}您好</p><table>{rows}</table>")


def main() -> list[dict[str, Any]]:
    """Compare the matching stage, then whole mails."""
    copies, plain = texts(), alternation()
    matcher = Matcher(rulebook().rules)
    reviewer = Reviewer(rulebook(), AS_OF)
    mails = [mail(number) for number in range(MAILS)]
    peer = "one regular expression of the same words"
    return [
        {
            "what": f"words in {COPIES:,} copies",
            "ours": "regulars, places and boundaries checked",
            "peer": peer,
            "ours_seconds": seconds(lambda: [matcher.hits(normalise(one)) for one in copies]),
            "peer_seconds": seconds(lambda: [plain.findall(normalise(one).text) for one in copies]),
        },
        {
            "what": f"{MAILS:,} mails of {len(mails[0].html) // 1000} KB",
            "ours": "regulars, the whole review",
            "peer": peer,
            "ours_seconds": seconds(
                lambda: [
                    reviewer.review(Copy(rendered_text(one), channel="email")) for one in mails
                ]
            ),
            "peer_seconds": seconds(
                lambda: [plain.findall(normalise(rendered_text(one)).text) for one in mails]
            ),
        },
    ]
