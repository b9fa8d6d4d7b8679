"""A belief about linear coefficients: Bayesian regression with prior spreads learned by block."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDS = 25
_LEAST_SD, _MOST_SD = 1e-4, 10.0


@dataclass(frozen=True)
class LinearBelief:
    """What is believed about the coefficients of y = z · theta + noise.

    Attributes:
        terms: Names of the coefficients, shape (terms,).
        blocks: Block of each term; terms of a block share one prior spread.
        prior_mean: Belief before data, shape (terms,).
        prior_sd: Prior spread, shape (terms,).
        precision: Sum of weighted z z', shape (terms, terms).
        information: Sum of weighted z y, shape (terms,).
    """

    terms: tuple[str, ...]
    blocks: tuple[str, ...]
    prior_mean: Floats
    prior_sd: Floats
    precision: Floats
    information: Floats

    @classmethod
    def start(
        cls, terms: dict[str, str], mean: dict[str, float], sd: dict[str, float]
    ) -> "LinearBelief":
        """Begin with no data.

        Args:
            terms: Block by term.
            mean: Prior mean by term; 0 where left out.
            sd: Prior spread by block.

        Returns:
            The belief before any data.

        Example:
            >>> belief = LinearBelief.start({"a": "one"}, {}, {"one": 1.0})
            >>> seen = belief.updated(np.ones((4, 1)), np.full(4, 2.0), np.ones(4))
            >>> seen.posterior()[0].round(2).tolist()
            [1.6]
        """
        size = len(terms)
        return cls(
            tuple(terms),
            tuple(terms.values()),
            np.array([mean.get(term, 0.0) for term in terms]),
            np.array([sd[block] for block in terms.values()]),
            np.zeros((size, size)),
            np.zeros(size),
        )

    def updated(self, design: Floats, outcome: Floats, weight: Floats) -> "LinearBelief":
        """Add observations.

        Args:
            design: z, shape (observations, terms).
            outcome: y, shape (observations,).
            weight: One over the noise variance, shape (observations,).

        Returns:
            The belief with these observations.
        """
        weighted = design * weight[:, None]
        return replace(
            self,
            precision=self.precision + weighted.T @ design,
            information=self.information + weighted.T @ outcome,
        )

    def discounted(self, share: float) -> "LinearBelief":
        """Keep only a share of what the data said, so that newer data counts more.

        Args:
            share: Share of the data's weight that stays, 0 to 1.

        Returns:
            The belief with less data behind it.
        """
        return replace(self, precision=self.precision * share, information=self.information * share)

    def posterior(self) -> tuple[Floats, Floats]:
        """Give the mean, shape (terms,), and the covariance, shape (terms, terms)."""
        total = self.precision + np.diag(1 / self.prior_sd**2)
        covariance = np.linalg.inv((total + total.T) / 2)
        mean = covariance @ (self.information + self.prior_mean / self.prior_sd**2)
        return mean, (covariance + covariance.T) / 2

    def log_evidence(self, design: Floats, outcome: Floats, weight: Floats) -> float:
        """Say how well the belief foretells observations, all of them together.

        Args:
            design: z, shape (observations, terms).
            outcome: y, shape (observations,).
            weight: One over the noise variance, shape (observations,).

        Returns:
            Logarithm of the density of the observations before they are learned from, up to a
            constant that is the same for every belief: the difference of two beliefs is the
            logarithm of their Bayes factor. 0 without observations.

        Source:
            Kass & Raftery (1995), "Bayes factors", JASA 90(430); the density of a Gaussian
            regression with the coefficients integrated out.

        Example:
            >>> sure = LinearBelief.start({"a": "one"}, {"a": 2.0}, {"one": 0.1})
            >>> wrong = LinearBelief.start({"a": "one"}, {"a": -2.0}, {"one": 0.1})
            >>> seen = np.ones((4, 1)), np.full(4, 2.0), np.ones(4)
            >>> round(sure.log_evidence(*seen) - wrong.log_evidence(*seen), 1)
            30.8
        """
        mean, covariance = self.posterior()
        weighted = design * weight[:, None]
        gram = weighted.T @ design
        missed = outcome - design @ mean
        pull = weighted.T @ missed
        before = np.linalg.inv(covariance)
        after = before + gram
        fit = float((weight * missed**2).sum()) - float(pull @ np.linalg.solve(after, pull))
        volume = float(np.linalg.slogdet(after)[1] - np.linalg.slogdet(before)[1])
        return -0.5 * (fit + volume)

    def with_learned_spread(self, learned: tuple[str, ...]) -> "LinearBelief":
        """Estimate the prior spread of blocks from the data.

        A block whose terms all look alike gets a small spread, so its terms are shrunk to
        their common mean; a block that clearly differs keeps a wide one.

        Args:
            learned: Blocks to estimate; the others keep their spread.

        Returns:
            The belief with the new spreads; unchanged when there are no data.

        Source:
            Tipping (2001), "Sparse Bayesian learning", JMLR 1, by blocks: the EM update of
            the prior variance is the mean second moment of the block's terms.
        """
        if not self.precision.any():
            return self
        belief = self
        names = np.array(self.blocks)
        for _ in range(_ROUNDS):
            mean, covariance = belief.posterior()
            sd = belief.prior_sd.copy()
            for block in learned:
                inside = names == block
                moment = (mean - belief.prior_mean)[inside] ** 2 + np.diag(covariance)[inside]
                sd[inside] = np.clip(np.sqrt(moment.mean()), _LEAST_SD, _MOST_SD)
            belief = replace(belief, prior_sd=sd)
        return belief

    def draws(self, count: int, normals: Floats) -> Floats:
        """Draw coefficient vectors from the belief.

        Args:
            count: Number of vectors.
            normals: Standard normal numbers, shape (count, terms).

        Returns:
            Coefficients, shape (count, terms).
        """
        mean, covariance = self.posterior()
        root = np.linalg.cholesky(covariance + 1e-12 * np.eye(len(mean)))
        return mean + normals[:count] @ root.T
