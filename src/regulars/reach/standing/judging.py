"""Judging: every rule asked of the contacts of one window, which count against each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, cast
from zoneinfo import ZoneInfo

from regulars.govern.policy.ages import Age, age_on, birthday_before
from regulars.govern.policy.asks import ALLOWED, TRANSACTIONAL_CLASS, Ask, Verdict
from regulars.govern.policy.limits import Counted, Limit, limits_of_caps
from regulars.govern.policy.notices import is_stale
from regulars.govern.policy.quiet_hours import hours_for, quiet_until
from regulars.govern.policy.reasons import Reason
from regulars.govern.policy.rules import Case, Room, first_refusal, refusal_again
from regulars.reach.standing.picture import (
    NOTHING_SAID,
    Facts,
    Picture,
    allowed_by,
    barred_by,
)
from regulars.settings import Policy

_UNKNOWN = Facts(None, None, 0)
# What stands for the campaign of a contact that has none.
_NO_CAMPAIGN = "-"
_BY_LIMIT = {Reason.PLATFORM_QUOTA, Reason.PLATFORM_FORBIDS, Reason.NO_GRANT, Reason.FREQUENCY_CAP}


@dataclass(frozen=True)
class Rulebook:
    """What the rules of contact are set to, made ready for judging.

    Attributes:
        policy: Settings of the rules.
        zone: IANA zone of the workspace.
        quotas: Limits of platforms.
        caps: Limits of the workspace.
    """

    policy: Policy
    zone: str
    quotas: tuple[Limit, ...]
    caps: tuple[Limit, ...]

    @classmethod
    def of(cls, policy: Policy, *, zone: str, quotas: Sequence[Limit]) -> "Rulebook":
        """Make a rulebook of settings."""
        return cls(policy, zone, tuple(quotas), limits_of_caps(policy))

    def reaches_back(self, now: datetime) -> datetime:
        """Name a moment before which no contact counts, whatever the zone.

        Returns:
            A moment earlier than the start of every window.

        Example:
            >>> book = Rulebook.of(Policy(cap_days=28), zone="Asia/Shanghai", quotas=())
            >>> book.reaches_back(datetime(2026, 3, 31, tzinfo=UTC)).day
            1
        """
        days = [0, *(max(limit.days, 31) for limit in self.quotas if not limit.seconds)]
        days += [
            limit.days if limit.window == "rolling" else max(limit.days, 31) for limit in self.caps
        ]
        return now - timedelta(days=max(days) + 2)


class Kind(NamedTuple):
    """What holds for contacts of one class, channel and topic.

    Attributes:
        quotas: Limits of platforms on them.
        caps: Limits of the workspace on them.
        quiet_from: Hour their quiet hours begin.
        quiet_to: Hour they end.
        takes_grants: True when each uses up a message the customer granted.
    """

    quotas: list[Limit]
    caps: list[Limit]
    quiet_from: int
    quiet_to: int
    takes_grants: bool


class Full(NamedTuple):
    """The first limit without room for a contact.

    Attributes:
        room: "", "full", "outranked", "forbidden" or "no_grant".
        limit: The limit; None when there is room.
        counted: Contacts that fill it.
    """

    room: Room
    limit: Limit | None
    counted: list[Counted]


class Found(NamedTuple):
    """What was found out about one contact.

    Attributes:
        case: What the rules look at.
        quota: What the quotas say.
        cap: What the caps say.
        quiet_until: End of the quiet hours; None when it is not quiet.
        zone: IANA zone the customer was taken to be in.
    """

    case: Case
    quota: Full
    cap: Full
    quiet_until: datetime | None
    zone: str


class Judging:
    """One window, judged at one moment.

    Args:
        book: What the rules are set to.
        picture: What is known; what the window allows is taken from it.
        now: The moment, aware.
        is_chosen_yet: False while deciding: hours are left to dispatch, and who switched
            profiling off is decided on without her features.
    """

    def __init__(
        self, book: Rulebook, picture: Picture, *, now: datetime, is_chosen_yet: bool = True
    ) -> None:
        """Settle what is the same for the whole window."""
        self._book, self._picture, self._now = book, picture, now
        self._at = now.astimezone(UTC).isoformat(timespec="microseconds")
        self._is_chosen_yet = is_chosen_yet
        today = now.astimezone(ZoneInfo(book.zone)).date()
        self._adult_from = birthday_before(today, book.policy.minor_age)
        self._minor_from = birthday_before(today, book.policy.child_age)
        self._unknown_age = cast("Age", book.policy.unknown_age)
        self._quiet: dict[tuple[str, int, int], datetime | None] = {}
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        self._starts: dict[tuple[int, str], str] = {}
        self._zones: dict[str, str] = {}
        self._stale: dict[str | None, bool] = {}

    def verdicts(self, asks: Sequence[Ask]) -> list[Verdict]:
        """Judge contacts, the highest priority first and by key among equals.

        Returns:
            One verdict per ask, in the order given.
        """
        found = [ALLOWED] * len(asks)
        for place in sorted(range(len(asks)), key=lambda n: (-asks[n].priority, asks[n].key)):
            ask = asks[place]
            known = self.find(ask, ask.customer_id)
            reason = first_refusal(known.case)
            if reason is None:
                self._take(ask)
            else:
                found[place] = self.verdict(ask, known, reason)
        return found

    def exposed(
        self, asks: Sequence[Ask], verdicts: Sequence[Verdict]
    ) -> list[tuple[str, str, str]]:
        """Say to whom it made a difference which variant of a running experiment she has.

        Args:
            asks: The contacts.
            verdicts: What was said of them.

        Returns:
            Customer, experiment and variant: of who gets marketing with an offer that depends on
            the variant, and of who would but for the variant.
        """
        dealt = self._picture.dealt
        return [
            (ask.customer_id, one.experiment_id, one.variant.name)
            for ask, verdict in zip(asks, verdicts, strict=True)
            if ask.offer_id
            and ask.message_class != TRANSACTIONAL_CLASS
            and (verdict.decision == "allow" or verdict.reason == Reason.EXPERIMENT)
            for one in dealt.exposed(ask.customer_id, [ask.offer_id])
        ]

    def again(self, ask: Ask) -> Verdict:
        """Judge a contact that may have gone out already.

        Returns:
            Skip when a resend would break what nothing may break; allow otherwise.
        """
        reason = refusal_again(self.find(ask, ask.customer_id).case)
        return Verdict("skip", reason.value) if reason else ALLOWED

    def reason(self, ask: Ask, customer_id: str) -> str:
        """Say why a customer could not be contacted, whatever else the window holds.

        Args:
            ask: The contact as it would be for anybody.
            customer_id: Who.

        Returns:
            Reason code; "" when she can be.
        """
        found = first_refusal(self.find(ask, customer_id).case)
        return "" if found is None else found.value

    def find(self, ask: Ask, customer_id: str) -> Found:
        """Find out everything the rules ask about one contact.

        Args:
            ask: The contact.
            customer_id: Who; the ask's own customer is not looked at.

        Returns:
            What was found.
        """
        picture, policy = self._picture, self._book.policy
        words, bars = picture.words.get(customer_id), picture.bars.get(customer_id)
        said = allowed_by(words, channel=ask.channel, topic=ask.topic) if words else NOTHING_SAID
        facts = picture.facts.get(customer_id, _UNKNOWN)
        zone = self._zone(facts.zone) if facts.zone else self._book.zone
        kind = self._kind(ask)
        quota = self._room(kind.quotas, ask, customer_id, zone) if kind.quotas else _FREE
        cap = self._room(kind.caps, ask, customer_id, zone) if kind.caps else _FREE
        quiet = self._quiet_until(kind, zone) if self._is_chosen_yet else None
        case = Case(
            ask.message_class,
            ask.is_automated,
            ask.holdout,
            picture.is_stopped,
            said.consent,
            policy.consent_required,
            self._is_stale(said.notice),
            said.has_left_topic,
            barred_by(bars, channel=ask.channel, now=self._at) if bars else "",
            self._age(facts.born_on),
            facts.has_guardian_consent == 1 or said.has_guardian_consent,
            said.is_profiling_refused and self._is_chosen_yet,
            quota.room,
            cap.room,
            quiet is not None,
            bool(ask.offer_id) and picture.stock.get(ask.offer_id, 1) <= 0,
            bool(ask.offer_id) and picture.codes_left.get((customer_id, ask.offer_id), 1) <= 0,
            bool(ask.offer_id) and picture.dealt.withholds(customer_id, ask.offer_id),
        )
        return Found(case, quota, cap, quiet, zone)

    def verdict(self, ask: Ask, known: Found, reason: Reason) -> Verdict:
        """Put a refusal into a verdict: held where waiting helps, with what was in the way.

        Args:
            ask: The contact.
            known: What was found out about it.
            reason: Why it is refused.

        Returns:
            A verdict of hold or skip.
        """
        if reason is Reason.QUIET_HOURS:
            return Verdict("hold", reason.value, known.quiet_until)
        full = known.quota if known.quota.room else known.cap
        limit = full.limit
        if limit is None or (reason not in _BY_LIMIT and reason is not Reason.OUTRANKED):
            return Verdict("skip", reason.value)
        detail = full.counted[-1].campaign_id if reason is Reason.OUTRANKED else limit.name
        detail = detail.removeprefix(_NO_CAMPAIGN)
        text = f"{reason.value}:{detail}" if detail else reason.value
        if limit.when_full == "hold" and limit.kind == "limit" and self._is_chosen_yet:
            free = limit.free_at(full.counted, self._now, zone=known.zone)
            if free is not None:
                kind = self._kind(ask)
                quiet = quiet_until(
                    free, zone=known.zone, quiet_from=kind.quiet_from, quiet_to=kind.quiet_to
                )
                return Verdict("hold", text, quiet or free)
        return Verdict("skip", text)

    def _take(self, ask: Ask) -> None:
        """Let an allowed contact count against those after it."""
        picture, customer = self._picture, ask.customer_id
        kind = self._kind(ask)
        if kind.quotas or kind.caps:
            mine = Counted(
                ask.key,
                self._at,
                ask.channel,
                ask.message_class,
                ask.topic,
                ask.sender,
                ask.campaign_id or _NO_CAMPAIGN,
            )
            picture.contacts.setdefault(customer, []).append(mine)
        if kind.takes_grants:
            picture.grants[customer, ask.channel, ask.sender] -= 1
        if ask.offer_id in picture.stock:
            picture.stock[ask.offer_id] -= 1
        if (customer, ask.offer_id) in picture.codes_left:
            picture.codes_left[customer, ask.offer_id] -= 1

    def _kind(self, ask: Ask) -> Kind:
        name = (ask.message_class, ask.channel, ask.topic)
        found = self._kinds.get(name)
        if found is None:
            book = self._book
            quotas = [limit for limit in book.quotas if limit.covers(*name)]
            found = self._kinds[name] = Kind(
                quotas,
                [limit for limit in book.caps if limit.covers(*name)],
                *hours_for(book.policy, message_class=name[0], channel=name[1], topic=name[2]),
                any(limit.kind == "grant" for limit in quotas),
            )
        return found

    def _room(self, limits: list[Limit], ask: Ask, customer_id: str, zone: str) -> Full:
        """Find the first limit without room, and what fills it."""
        contacts = self._picture.contacts.get(customer_id, _NO_CONTACTS)
        for limit in limits:
            if limit.kind == "forbidden":
                return Full("forbidden", limit, [])
            if limit.kind == "grant":
                if self._picture.grants.get((customer_id, ask.channel, ask.sender), 0) <= 0:
                    return Full("no_grant", limit, [])
                continue
            if len(contacts) < limit.contacts:
                continue
            counted = limit.counted(contacts, ask, start=self._start(limit, zone))
            if len(counted) >= limit.contacts:
                before = sum(not one.campaign_id for one in counted)
                return Full("full" if before >= limit.contacts else "outranked", limit, counted)
        return _FREE

    def _start(self, limit: Limit, zone: str) -> str:
        kind = (id(limit), zone)
        found = self._starts.get(kind)
        if found is None:
            found = self._starts[kind] = limit.start(self._now, zone=zone)
        return found

    def _quiet_until(self, kind: Kind, zone: str) -> datetime | None:
        hours = (zone, kind.quiet_from, kind.quiet_to)
        if hours not in self._quiet:
            self._quiet[hours] = quiet_until(
                self._now, zone=zone, quiet_from=kind.quiet_from, quiet_to=kind.quiet_to
            )
        return self._quiet[hours]

    def _zone(self, zone: str) -> str:
        """Take a zone nobody knows for that of the workspace."""
        if zone not in self._zones:
            try:
                ZoneInfo(zone)
            except (KeyError, ValueError, OSError):
                self._zones[zone] = self._book.zone
            else:
                self._zones[zone] = zone
        return self._zones[zone]

    def _age(self, born_on: str | None) -> Age:
        return age_on(
            born_on,
            adult_from=self._adult_from,
            minor_from=self._minor_from,
            unknown=self._unknown_age,
        )

    def _is_stale(self, notice: str | None) -> bool:
        if notice not in self._stale:
            wanted = (self._picture.required_notice, self._book.policy.notice_version)
            self._stale[notice] = any(
                is_stale(notice, required=required, effective_from=self._picture.notices)
                for required in wanted
            )
        return self._stale[notice]


_NO_CONTACTS: list[Counted] = []
_FREE = Full("", None, [])
