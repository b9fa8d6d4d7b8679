"""What a channel's answers mean: sent, not taken, in doubt until the next attempt, or lost."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from regulars.govern.policy import Reason
from regulars.ports.channels import Answer, Outcome, Recovery
from regulars.reach.delivery.ledger.pace import key_is_known, may_try_again, wait_seconds
from regulars.reach.delivery.ledger.rows.service import Held
from regulars.reach.delivery.runs import DEFERRED, stamp
from regulars.settings import Sending

NO_ANSWER = Answer(Outcome.UNKNOWN, "no_answer")
KEY_EXPIRED = "key_expired"


@dataclass(frozen=True)
class Meaning:
    """Rows by what is to be written down.

    Attributes:
        sent: The provider has them.
        untaken: It has not, by state, reason and moment of the next attempt ("" for none).
        doubted: It may have; by the moment it is tried or asked again.
        lost: It may have, and nothing can be done; by reason.
    """

    sent: list[Held] = field(default_factory=list)
    untaken: dict[tuple[str, str, str], list[Held]] = field(
        default_factory=lambda: defaultdict(list)
    )
    doubted: dict[str, list[Held]] = field(default_factory=lambda: defaultdict(list))
    lost: dict[str, list[Held]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True)
class Reading:
    """How the answers of one channel are read.

    Attributes:
        recovery: What the channel allows.
        key_seconds: How long its provider remembers keys.
        sending: Settings of the executor.
        now: The moment.
    """

    recovery: Recovery
    key_seconds: int
    sending: Sending
    now: datetime

    def meaning(self, held: Sequence[Held], answers: Mapping[str, Answer]) -> Meaning:
        """Sort rows by what was answered.

        Args:
            held: The rows handed over.
            answers: Answers by key; a row without one may have been taken.

        Returns:
            Each row in one place.
        """
        found = Meaning()
        for one in held:
            answer = answers.get(one.contact.key, NO_ANSWER)
            if answer.outcome is Outcome.ACCEPTED:
                found.sent.append(one)
            elif answer.outcome is Outcome.REFUSED:
                found.untaken["failed", answer.reason or "refused", ""].append(one)
            elif answer.outcome is Outcome.THROTTLED and not one.is_doubtful:
                found.untaken[self._busy(one, answer)].append(one)
            else:
                # That it is too busy now says nothing about an attempt nobody answered.
                self._doubt(one, found)
        return found

    def _busy(self, one: Held, answer: Answer) -> tuple[str, str, str]:
        wait = wait_seconds(one.attempts + 1, self.sending, asked=answer.retry_seconds)
        again = self.now + timedelta(seconds=wait)
        reason = answer.reason or "throttled"
        if may_try_again(one.attempts + 1, one.first_at, again, self.sending):
            return DEFERRED, reason, stamp(again)
        return "failed", reason, ""

    def _doubt(self, one: Held, found: Meaning) -> None:
        wait = wait_seconds(one.attempts + 1, self.sending)
        again = self.now + timedelta(seconds=wait)
        tries = may_try_again(one.attempts + 1, one.first_at, again, self.sending)
        age = (again - one.contact.at).total_seconds()
        if self.recovery is Recovery.HOLD_UNKNOWN or not tries:
            found.lost[Reason.NO_ANSWER.value].append(one)
        elif self.recovery is Recovery.RESEND and not key_is_known(age, self.key_seconds):
            found.lost[KEY_EXPIRED].append(one)
        else:
            found.doubted[stamp(again)].append(one)
