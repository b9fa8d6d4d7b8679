"""Who gets which variant of the experiments that run: one customer at a time, by salted hash."""

from collections.abc import Sequence
from dataclasses import dataclass

from regulars.decide.assignment import Experiment as Assignment
from regulars.measure.experiments.keeping.definition import Variant
from regulars.numerics.hashing import key_of, mixed


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
        >>> from regulars.decide.assignment import Experiment
        >>> coupon = Running(
        ...     "coupon", Experiment("coupon"), (Variant("control", 0.5), Variant("treated", 0.5))
        ... )
        >>> [found] = variants_of("ann", [coupon], seed=7, global_holdout=0.0)
        >>> found.told
        {'variant': 'control'}
    """
    key = key_of(customer_id)
    if mixed(key, key_of(seed, "holdout", "global")) < global_holdout:
        return []
    found = []
    for one in running:
        deals = one.assignment
        place = mixed(key, key_of(seed, "layer", deals.layer))
        if deals.first <= place < deals.last:
            draw = mixed(key, key_of(seed, "variant", deals.experiment_id))
            found.append(Given(one.id, one.variants[_number(draw, deals.shares)]))
    return found


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
