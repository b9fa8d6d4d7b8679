"""Who gets which variant of the experiments that run, by salted hash, at every door alike."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import msgspec

from regulars.decide.assignment.holdouts import held_out
from regulars.decide.assignment.variants import Experiment as Assignment
from regulars.decide.assignment.variants import assign
from regulars.numerics.hashing import key_of, keys_of, mixed


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One treatment.

    Attributes:
        name: Its name.
        share: Share of the experiment's customers who get it, in (0, 1).
        offers: The only offers decided among for them; None for all, empty for none.
        values: What a page, an app or a till is told, by name: level by factor.
    """

    name: str
    share: float
    offers: tuple[str, ...] | None = None
    values: dict[str, str] = {}


@dataclass(frozen=True)
class Running:
    """An experiment that takes customers now.

    Attributes:
        id: Its id.
        assignment: How it deals customers out.
        variants: Its treatments, control first.
    """

    id: str
    assignment: Assignment
    variants: tuple[Variant, ...]

    def decides_on(self, offer: str) -> bool:
        """Say whether it depends on the variant that a customer may get an offer.

        Returns:
            False when every variant, or none, lets her get it.

        Example:
            >>> either = (Variant("control", 0.5, ()), Variant("coupon", 0.5, ("off10",)))
            >>> coupon = Running("coupon", Assignment("coupon"), either)
            >>> coupon.decides_on("off10"), coupon.decides_on("news")
            (True, False)
        """
        return len({one.offers is None or offer in one.offers for one in self.variants}) > 1


@dataclass(frozen=True)
class Given:
    """The variant a customer has in an experiment.

    Attributes:
        experiment_id: The experiment.
        variant: The variant.
    """

    experiment_id: str
    variant: Variant

    @property
    def told(self) -> dict[str, str]:
        """What a caller is told: the variant's name and its values."""
        return {"variant": self.variant.name, **self.variant.values}


def variants_of(
    customer_id: str, running: Sequence[Running], *, seed: int, global_holdout: float
) -> list[Given]:
    """Say which variant a customer has in each experiment.

    The same as `decide.assignment.assign` says of many: the same customer, salt and seed always
    give the same variant, in any process and at any time.

    Args:
        customer_id: Who.
        running: The experiments that run.
        seed: The workspace's seed.
        global_holdout: Share of customers the programme never contacts; they take part in nothing.

    Returns:
        One per experiment the customer takes part in, in their order.

    Source:
        Tang, Agarwal, O'Brien & Meyer (2010), KDD '10, as in `decide.assignment.assign`.

    Example:
        >>> coupon = Running(
        ...     "coupon", Assignment("coupon"), (Variant("control", 0.5), Variant("treated", 0.5))
        ... )
        >>> [found] = variants_of("ann", [coupon], seed=7, global_holdout=0.0)
        >>> found.told
        {'variant': 'control'}
    """
    key = key_of(customer_id)
    if mixed(key, _draw_of(seed, "holdout", "global")) < global_holdout:
        return []
    found = []
    for one in running:
        deals = one.assignment
        place = mixed(key, _draw_of(seed, "layer", deals.layer))
        if deals.first <= place < deals.last:
            draw = mixed(key, _draw_of(seed, "variant", deals.experiment_id))
            found.append(Given(one.id, one.variants[_number(draw, deals.shares)]))
    return found


@lru_cache(maxsize=4096)
def _draw_of(seed: int, purpose: str, name: str) -> int:
    """Name a draw: the same for every customer, so worked out once."""
    return key_of(seed, purpose, name)


def _number(draw: float, shares: Sequence[float]) -> int:
    edge = 0.0
    for number, share in enumerate(shares[:-1]):
        edge += share
        if draw < edge:
            return number
    return len(shares) - 1


def offers_closed(given: Sequence[Given], offers: Sequence[str]) -> list[str]:
    """Say which offers the variants of a customer leave out.

    Args:
        given: The variants.
        offers: All offers there are.

    Returns:
        Offers that some variant with a list of its own does not hold.

    Example:
        >>> offers_closed([Given("coupon", Variant("control", 0.5, ()))], ["news"])
        ['news']
    """
    lists = [one.variant.offers for one in given if one.variant.offers is not None]
    return [offer for offer in offers if any(offer not in mine for mine in lists)]


@dataclass(frozen=True)
class Dealt:
    """What the experiments that run mean for many customers and the offers they may get.

    Attributes:
        given: Variants by customer, of experiments whose variants are about offers; customers
            who take part in none are not in it.
        deciding: By offer, the experiments in which it depends on the variant.
    """

    given: Mapping[str, Sequence[Given]] = field(default_factory=dict)
    deciding: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def closed(self, customer_id: str, offers: Sequence[str]) -> list[str]:
        """Give the offers that must not be decided among for a customer.

        Args:
            customer_id: Who.
            offers: All that are decided among.

        Returns:
            Those that a variant she is exposed to by this decision leaves out.
        """
        return offers_closed(self.exposed(customer_id, offers), offers)

    def withholds(self, customer_id: str, offer: str) -> bool:
        """Say whether an offer that others in an experiment get is kept from a customer.

        What no variant gets is no part of the comparison, and reaches everybody as before.

        Returns:
            True when the variant of an experiment about this offer leaves it out.

        Example:
            >>> mine = Given("coupon", Variant("control", 0.5, ()))
            >>> dealt = Dealt({"ann": [mine]}, {"off10": frozenset({"coupon"})})
            >>> dealt.withholds("ann", "off10"), dealt.withholds("ann", "news")
            (True, False)
        """
        return bool(offers_closed(self.exposed(customer_id, [offer]), [offer]))

    def exposed(self, customer_id: str, offers: Collection[str]) -> list[Given]:
        """Give the variants that make a difference to which of these offers a customer may get.

        Returns:
            The variants; whoever has one of them was exposed, also where it leaves the offer out.

        Example:
            >>> mine = Given("coupon", Variant("control", 0.5, ()))
            >>> dealt = Dealt({"ann": [mine]}, {"off10": frozenset({"coupon"})})
            >>> len(dealt.exposed("ann", ["off10"])), len(dealt.exposed("ann", ["news"]))
            (1, 0)
        """
        mine = self.given.get(customer_id, ())
        return [
            one
            for one in mine
            if any(one.experiment_id in self.deciding.get(offer, ()) for offer in offers)
        ]


def deal(
    customers: Sequence[str],
    offers: Collection[str],
    running: Sequence[Running],
    *,
    seed: int,
    global_holdout: float,
) -> Dealt:
    """Say for many customers what `variants_of` says for one, as far as offers are concerned.

    Args:
        customers: Who, by present ids.
        offers: The offers they may get.
        running: The experiments that run.
        seed: The workspace's seed.
        global_holdout: Share of customers the programme never contacts; they take part in nothing.

    Returns:
        The variants, and where they make a difference; nothing where no experiment that runs is
        about offers.

    Source:
        Tang, Agarwal, O'Brien & Meyer (2010), KDD '10, as in `decide.assignment.assign`.

    Example:
        >>> either = (Variant("control", 0.5, ()), Variant("coupon", 0.5, ("off10",)))
        >>> coupon = Running("coupon", Assignment("coupon"), either)
        >>> dealt = deal(["ann", "cid"], ["off10"], [coupon], seed=7, global_holdout=0.0)
        >>> dealt.withholds("ann", "off10"), dealt.withholds("cid", "off10")
        (True, False)
    """
    about = [one for one in running if any(part.offers is not None for part in one.variants)]
    if not about or not customers or not offers:
        return Dealt()
    keys = keys_of(list(customers))
    outside = held_out(keys, seed=seed, purpose="global", share=global_holdout)
    given: dict[str, list[Given]] = {}
    for one in about:
        drawn = assign(keys, one.assignment, seed=seed, held_out=outside).tolist()
        have = [Given(one.id, variant) for variant in one.variants]
        for customer, number in zip(customers, drawn, strict=True):
            if number >= 0:
                given.setdefault(customer, []).append(have[number])
    deciding = {
        offer: frozenset(one.id for one in about if one.decides_on(offer)) for offer in offers
    }
    return Dealt(given, deciding)
