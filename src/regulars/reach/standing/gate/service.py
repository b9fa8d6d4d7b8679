"""Every rule of contact, asked of a window of contacts within the transaction that claims them."""

import json
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from regulars.decide.assignment.dealing.service import Dealer, expose, exposures
from regulars.govern.policy.asks import Ask, Verdict
from regulars.govern.policy.limits import Quota, quotas_in_force
from regulars.ports.state import Queries, Transaction
from regulars.reach.counters import service as counters
from regulars.reach.counters.service import stamp
from regulars.reach.coupons import service as coupons
from regulars.reach.standing.gate.reading import by_customer
from regulars.reach.standing.judging import Judging, Rulebook
from regulars.reach.standing.picture import Bar, Facts, Picture, Said
from regulars.settings import Policy, Settings

_SQL = Queries(__package__)


class Gate:
    """The one place every contact passes on its way out.

    Args:
        policy: Settings of the rules.
        zone: IANA zone of the workspace.
        quotas: Quotas of platforms in force, with the channels they bind.
        dealer: Who deals out variants of running experiments; None where none are kept to.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        zone: str,
        quotas: Sequence[Quota] = (),
        dealer: Dealer | None = None,
    ) -> None:
        """Make the rulebook once."""
        self._dealer = dealer
        self._counted: dict[tuple[str, str, str], bool] = {}
        self.book = Rulebook.of(policy, zone=zone, quotas=[quota.limit() for quota in quotas])

    def judge(self, opened: Transaction, asks: Sequence[Ask], *, now: datetime) -> list[Verdict]:
        """Judge contacts that want to go out now; they count against each other.

        Until the transaction ends nobody else can count the contacts of these customers: reserve
        the allowed ones in the same transaction. Whoever would get an offer that depends on the
        variant of a running experiment is put down as exposed, also where the variant leaves the
        offer out.

        Args:
            opened: The write transaction that will claim the allowed ones.
            asks: The contacts; of two that want the same room the higher priority gets it.
            now: Moment of the claim, aware.

        Returns:
            One verdict per ask, in their order.
        """
        if not asks:
            return []
        counters.alone_with(opened, _list([ask for ask in asks if self._is_counted(ask)]))
        judging = self.look(opened, asks, now=now, is_claiming=True)
        found = judging.verdicts(asks)
        expose(opened, exposures(judging.exposed(asks, found), now=now))
        return found

    def look(
        self,
        opened: Transaction,
        asks: Sequence[Ask],
        *,
        now: datetime,
        is_claiming: bool = False,
    ) -> Judging:
        """Find out what is known of contacts, and keep nobody waiting for it.

        Args:
            opened: Any transaction.
            asks: The contacts.
            now: The moment, aware.
            is_claiming: True to be alone with their offers until the transaction ends.

        Returns:
            A judging of them.
        """
        customers = _list(asks)
        picture = self.picture(opened, customers, now=now)
        offers = [ask.offer_id for ask in asks if ask.offer_id]
        # Codes are locked before stock, here and everywhere: no two wait for each other.
        codes = (
            coupons.lock_pools(opened, offers, now=now)
            if is_claiming
            else coupons.free_codes(opened, offers)
        )
        picture.stock = counters.stock(opened, offers, is_claiming=is_claiming)
        for offer, free in codes.items():
            picture.stock[offer] = min(free, picture.stock.get(offer, free))
        wanted = [(ask.customer_id, ask.offer_id) for ask in asks if ask.offer_id in codes]
        picture.codes_left = coupons.codes_left(opened, wanted, now=now)
        if self._dealer is not None:
            dealt = self._dealer.dealt(opened, {ask.customer_id for ask in asks}, offers)
            picture.dealt = dealt
        return Judging(self.book, picture, now=now)

    def judge_again(
        self, opened: Transaction, asks: Sequence[Ask], *, now: datetime
    ) -> list[Verdict]:
        """Judge contacts that may have gone out already and are to be sent again.

        Args:
            opened: The transaction.
            asks: The contacts; they keep what they reserved.
            now: The moment, aware.

        Returns:
            One verdict per ask, in their order: only what no resend may break.
        """
        if not asks:
            return []
        picture = self.picture(opened, _list(asks), now=now, is_again=True)
        judging = Judging(self.book, picture, now=now)
        return [judging.again(ask) for ask in asks]

    def reserve(self, opened: Transaction, asks: Sequence[Ask], *, now: datetime) -> None:
        """Count the allowed contacts against caps, quotas and stock; give each its code.

        Args:
            opened: The transaction that judged them.
            asks: The contacts allowed.
            now: Moment of the claim, aware.

        Raises:
            Permanent: They were judged in another transaction, and the room is gone.
        """
        coupons.reserve(opened, asks, now=now)
        counters.reserve(opened, asks, now=now, granted=self._granted(asks))

    def give_back(self, opened: Transaction, asks: Sequence[Ask], *, at: datetime) -> None:
        """Free what contacts had reserved that did not go out.

        Args:
            opened: The transaction that records the refusal.
            asks: The contacts; a second time changes nothing.
            at: Moment they were claimed, aware.
        """
        coupons.give_back(opened, [ask.key for ask in asks if ask.offer_id], now=at)
        counters.give_back(opened, asks, granted=self._granted(asks))

    def picture(
        self, opened: Transaction, customers: str, *, now: datetime, is_again: bool = False
    ) -> Picture:
        """Read what is known of customers.

        Args:
            opened: The transaction.
            customers: Customers as a JSON list, each once.
            now: The moment, aware.
            is_again: True when counters do not matter.

        Returns:
            The picture, without stock.
        """
        at = stamp(now)
        standing = opened.all(_SQL["standing"], now=at)
        floors = [(row["value"], row["name"]) for row in standing if row["kind"] == "floor"]
        [known] = opened.all(_SQL["known"], customers=customers)
        words = by_customer(known["words"], Said)
        for customer, said in by_customer(known["topics"], Said).items():
            words.setdefault(customer, []).extend(said)
        facts = by_customer(known["facts"], Facts)
        picture = Picture(
            is_stopped=any(row["kind"] == "stop" for row in standing),
            words=words,
            bars=by_customer(known["bars"], Bar),
            facts={customer: found[0] for customer, found in facts.items()},
            notices={row["name"]: row["value"] for row in standing if row["kind"] == "notice"},
            required_notice=max(floors)[1] if floors else "",
        )
        if not is_again:
            since = stamp(self.book.reaches_back(now))
            picture.contacts = counters.contacts(opened, customers, since=since)
            if any(limit.kind == "grant" for limit in self.book.quotas):
                picture.grants = counters.grants(opened, customers)
        return picture

    def _is_counted(self, ask: Ask) -> bool:
        """Tell whether a cap or quota counts such contacts, which nobody else may meanwhile."""
        kind = (ask.message_class, ask.channel, ask.topic)
        found = self._counted.get(kind)
        if found is None:
            limits = (*self.book.quotas, *self.book.caps)
            found = self._counted[kind] = any(limit.covers(*kind) for limit in limits)
        return found

    def _granted(self, asks: Sequence[Ask]) -> list[Ask]:
        grants = [limit for limit in self.book.quotas if limit.kind == "grant"]
        return [
            ask
            for ask in asks
            if any(limit.covers(ask.message_class, ask.channel, ask.topic) for limit in grants)
        ]


def gate_of(settings: Settings, *, now: datetime) -> Gate:
    """Make the gate of a workspace, with the quotas that bind its channels today.

    Args:
        settings: What `regulars.toml` says.
        now: The moment, aware; quotas hold from and to a day.

    Returns:
        The gate; make a new one each day.
    """
    zone = settings.retailer.zone
    return Gate(
        settings.policy, zone=zone, quotas=quotas_of(settings, now=now), dealer=dealer_of(settings)
    )


def dealer_of(settings: Settings) -> Dealer:
    """Give who deals out variants of running experiments in a workspace."""
    return Dealer(settings.loop.seed, settings.loop.global_holdout)


def quotas_of(settings: Settings, *, now: datetime) -> tuple[Quota, ...]:
    """Choose the quotas of platforms that bind the channels of a workspace.

    Returns:
        The quotas in force on the day it is where the retailer is.
    """
    return quotas_in_force(
        {name: channel.via for name, channel in settings.channels.items()},
        changes=settings.policy.quotas,
        today=now.astimezone(ZoneInfo(settings.retailer.zone)).date(),
    )


def _list(asks: Sequence[Ask]) -> str:
    return json.dumps(sorted({ask.customer_id for ask in asks}))
