"""Clusters: which records are one customer, when the links between them disagree."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOBODY = -1
"""Login of a record that has none."""

SURE = 40.0
"""Most bits one pair brings into an average, so that no pair outweighs all others."""

APART = -8.0
"""Bits of a pair that no blocking rule found."""


@dataclass(frozen=True)
class Graph:
    """Records and the pairs of them that were compared.

    Attributes:
        records: Number of records.
        left: First record of each pair.
        right: Second record of each pair.
        weight: Log-odds that a pair is one customer, in bits.
        login: Number of each record's login id; `NOBODY` where it has none.
        most: Most records a customer may have.
    """

    records: int
    left: NDArray[Any]
    right: NDArray[Any]
    weight: Floats
    login: Ints
    most: int


@dataclass(frozen=True)
class Merges:
    """The order in which clusters were merged. One entry per merge.

    Attributes:
        kept: The record that names the merged cluster from then on.
        gone: The record that named the other one.
        weight: Average weight between the two when they were merged.
        pairs: Pairs of records between the two.
        matches: How many of these are expected to be right.
    """

    kept: Ints
    gone: Ints
    weight: Floats
    pairs: Floats
    matches: Floats


def agglomerate(graph: Graph, *, stop: float) -> Merges:
    """Merge clusters, the most alike first, by the average weight of all pairs between them.

    A chain of links through one odd record does not hold two clusters together, because all
    other pairs between them speak against it. Clusters with two different login ids are never
    merged, nor clusters that would grow past the cap.

    Args:
        graph: Records and compared pairs.
        stop: Average weight, in bits, below which nothing is merged.

    Returns:
        The merges in order.

    Source:
        Average-link agglomeration (Sokal & Michener 1958) on log-odds, which is the greedy
        solution of correlation clustering (Bansal, Blum & Chawla 2004).

    Example:
        >>> pairs = np.array([[0, 1], [1, 2], [0, 2]])
        >>> none = np.full(3, NOBODY)
        >>> chain = Graph(3, pairs[:, 0], pairs[:, 1], np.array([9.0, 3.0, -9.0]), none, 10)
        >>> agglomerate(chain, stop=0).gone.tolist()
        [1]
    """
    nodes, places = np.unique(np.concatenate([graph.left, graph.right]), return_inverse=True)
    left, right = places[: len(graph.left)], places[len(graph.left) :]
    small = Graph(len(nodes), left, right, graph.weight, graph.login[nodes], graph.most)
    found = _merged(_State(small), stop)
    columns = list(zip(*found, strict=True)) or [()] * 5
    kept, gone = (nodes[np.array(part, dtype=np.int64)] for part in columns[:2])
    weight, pairs, matches = (np.array(part, dtype=float) for part in columns[2:])
    return Merges(kept, gone, weight, pairs, matches)


def _merged(state: "_State", stop: float) -> list[tuple[int, int, float, float, float]]:
    heap = [(-bits, a, b, 0, 0) for (a, b), bits in state.start() if bits >= stop]
    heapq.heapify(heap)
    found = []
    while heap:
        bits, a, b, seen_a, seen_b = heapq.heappop(heap)
        if state.version[a] != seen_a or state.version[b] != seen_b or not state.may_merge(a, b):
            continue
        if len(state.near[a]) < len(state.near[b]):
            a, b = b, a
        found.append((a, b, -bits, *state.between(a, b)))
        for other, average in state.merge(a, b):
            if average >= stop:
                heapq.heappush(heap, (-average, a, other, state.version[a], state.version[other]))
    return found


class _State:
    """Clusters named by a record each, with the sums of weights between neighbours."""

    def __init__(self, graph: Graph) -> None:
        self.near: list[dict[int, tuple[float, int, float]]] = [{} for _ in range(graph.records)]
        self.size = [1] * graph.records
        self.version = [0] * graph.records
        self.login = graph.login.tolist()
        self.most = graph.most
        weight = np.clip(graph.weight, -SURE, SURE)
        chance = 1 / (1 + np.exp2(-weight))
        rows = (graph.left.tolist(), graph.right.tolist(), weight.tolist(), chance.tolist())
        for a, b, bits, p in zip(*rows, strict=True):
            self.near[a][b] = self.near[b][a] = (bits, 1, p)

    def start(self) -> list[tuple[tuple[int, int], float]]:
        return [
            ((a, b), entry[0])
            for a, near in enumerate(self.near)
            for b, entry in near.items()
            if a < b
        ]

    def may_merge(self, a: int, b: int) -> bool:
        logins = self.login[a], self.login[b]
        is_two = NOBODY not in logins and logins[0] != logins[1]
        return not is_two and self.size[a] + self.size[b] <= self.most

    def between(self, a: int, b: int) -> tuple[float, float]:
        return float(self.size[a] * self.size[b]), self.near[a][b][2]

    def merge(self, a: int, b: int) -> list[tuple[int, float]]:
        """Merge b into a; gives the neighbours of a with their average weight."""
        near, gone = self.near[a], self.near[b]
        del near[b], gone[a]
        for other, (bits, pairs, p) in gone.items():
            known = near.get(other, (0.0, 0, 0.0))
            near[other] = (known[0] + bits, known[1] + pairs, known[2] + p)
            self.near[other][a] = near[other]
            del self.near[other][b]
        self.near[b] = {}
        self.size[a] += self.size[b]
        self.version[a] += 1
        self.version[b] = -1
        self.login[a] = max(self.login[a], self.login[b])
        found = []
        for other, (bits, pairs, _) in near.items():
            between = self.size[a] * self.size[other]
            found.append((other, (bits + APART * (between - pairs)) / between))
        return found


def best_prefix(merges: Merges, *, matches: float) -> int:
    """Say how many merges give the best expected balance of precision and recall.

    Args:
        merges: Merges in order.
        matches: Matches expected among all compared pairs.

    Returns:
        Number of merges to keep.

    Source:
        Expected F1 of a set of pairs: twice the matches in it over its size plus all matches
        (Ye, Chai, Lee & Chieu 2012), with expectations from the model.

    Example:
        >>> one = np.ones(3)
        >>> merges = Merges(one, one, one, one, np.array([0.9, 0.6, 0.1]))
        >>> best_prefix(merges, matches=1.6)
        2
    """
    if not len(merges.pairs):
        return 0
    found = 2 * np.cumsum(merges.matches) / (np.cumsum(merges.pairs) + matches)
    return int(np.argmax(found)) + 1


def labels_after(merges: Merges, count: int, records: int) -> Ints:
    """Give the cluster of every record after the first merges.

    Args:
        merges: Merges in order.
        count: How many to apply.
        records: Number of records.

    Returns:
        Per record the smallest record of its cluster.

    Example:
        >>> one = np.ones(2)
        >>> merges = Merges(np.array([2, 2]), np.array([0, 1]), one, one, one)
        >>> labels_after(merges, 2, 4).tolist()
        [0, 0, 0, 3]
    """
    return components(records, merges.kept[:count], merges.gone[:count])


def components(
    records: int, left: Sequence[int] | NDArray[Any], right: Sequence[int] | NDArray[Any]
) -> Ints:
    """Give the connected component of every record.

    Args:
        records: Number of records.
        left: First record of each link.
        right: Second record of each link.

    Returns:
        Per record the smallest record it is connected with.

    Example:
        >>> components(4, [3, 1], [1, 2]).tolist()
        [0, 1, 1, 1]
    """
    from scipy.sparse import coo_matrix  # noqa: PLC0415 - slow to import
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    ones = np.ones(len(left), dtype=np.int8)
    links = coo_matrix((ones, (left, right)), shape=(records, records))
    _, label = connected_components(links, directed=False)
    smallest = np.full(label.max(initial=-1) + 1, records, dtype=np.int64)
    np.minimum.at(smallest, label, np.arange(records))
    return np.asarray(smallest[label])


def joined_labels(labels: Ints, left: NDArray[Any], right: NDArray[Any]) -> Ints:
    """Join components by further links.

    Args:
        labels: Per record the smallest record of its component.
        left: First record of each link.
        right: Second record of each link.

    Returns:
        Per record the smallest record of its component after joining.

    Example:
        >>> joined_labels(np.array([0, 0, 2, 3]), np.array([1]), np.array([3])).tolist()
        [0, 0, 2, 0]
    """
    ends = np.concatenate([labels[left], labels[right]])
    nodes, place = np.unique(ends, return_inverse=True)
    smallest = np.arange(len(labels))
    smallest[nodes] = nodes[components(len(nodes), place[: len(left)], place[len(left) :])]
    return np.asarray(smallest[labels])


def doubtful(labels: Ints, graph: Graph, is_linked: NDArray[np.bool_]) -> Ints:
    """Find the components that must be looked into.

    Args:
        labels: Component of every record.
        graph: Records and compared pairs.
        is_linked: Which pairs are linked.

    Returns:
        Names of components in which not every pair is linked, that hold two login ids, or that
        are larger than the cap; in order.
    """
    sizes = np.bincount(labels, minlength=graph.records)
    inside = np.bincount(labels[graph.left[is_linked]], minlength=graph.records)
    is_open = inside < sizes * (sizes - 1) // 2
    has = graph.login != NOBODY
    least = np.full(graph.records, np.iinfo(np.int64).max)
    most = np.full(graph.records, np.iinfo(np.int64).min)
    np.minimum.at(least, labels[has], graph.login[has])
    np.maximum.at(most, labels[has], graph.login[has])
    return np.flatnonzero(is_open | (most > least) | (sizes > graph.most))
