"""Resolve a file: give every row its customer id, remember them, tell the identity graph."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.errors import InputError
from regulars.govern.protection.keys import derived, make_key
from regulars.ports.state import Queries, State
from regulars.records.identifiers import LOGIN
from regulars.unify.identity.identifiers import Identifier
from regulars.unify.identity.picture import PROBABILISTIC, Evidence
from regulars.unify.identity.service import link
from regulars.unify.matching.explaining import explain
from regulars.unify.matching.loading import (
    Bench,
    by_record,
    clean_records,
    open_bench,
    read_file,
)
from regulars.unify.matching.mapping import Roles, checked_roles, roles_by_name
from regulars.unify.matching.memory.keeping import (
    customers_far,
    ids_of_file,
    kept_of,
    records_of,
    whole_of,
)
from regulars.unify.matching.memory.kept import FOLDER, EarlierForm, Kept, Part, write_parts
from regulars.unify.matching.memory.naming import RECORD, Naming
from regulars.unify.matching.memory.nearby import Near, named, place_near, resolve_new
from regulars.unify.matching.memory.newcomers import Incoming, Seen, compare_with, place_all
from regulars.unify.matching.memory.remembered import Remembered, engine_of
from regulars.unify.matching.resolving import (
    Clusters,
    Learned,
    Links,
    Told,
    Wishes,
    learned_from,
    resolve_all,
)
from regulars.unify.matching.writing import check_output, write_with_ids

REFIT_SHARE = 0.1
"""Share of new and changed records past which everything is resolved again."""

MOST_FILES = 16
"""Files of new records after which all that is remembered is written as one."""

_AT_ONCE = 5_000
_QUERIES = Queries(__package__)


class Match(NamedTuple):
    """A pair of records that is one customer, as the identity graph takes it.

    Attributes:
        a: Login id of the one record, or the record itself.
        b: Of the other.
        probability: How sure it is, 0 to 1.
        rule: What linked the two.
        evidence: The run it comes from.
    """

    a: Identifier
    b: Identifier
    probability: float
    rule: str
    evidence: str


@dataclass(frozen=True)
class Home:
    """The workspace that remembers.

    Attributes:
        folder: Its folder.
        state: Its state.
        now: The moment, aware.
    """

    folder: Path
    state: State
    now: datetime


@dataclass(frozen=True)
class Asked:
    """What is asked of one run.

    Attributes:
        roles: Which column is which; None guesses by name.
        wishes: Objective, precision, cap, seed.
        explain: Id of a record or customer to explain; "" for none.
        fresh: True resolves everything again, whatever is remembered; ids stay.
        workers: Threads.
        memory: Most memory of the engine before it spills, as DuckDB writes it.
    """

    roles: Roles | None = None
    wishes: Wishes = field(default_factory=Wishes)
    explain: str = ""
    fresh: bool = False
    workers: int = 2
    memory: str = "1GB"


@dataclass(frozen=True)
class Resolution:
    """What one run found.

    Attributes:
        mode: "full", "new only", or "unchanged".
        incoming: Records of the file that were new, changed, unchanged.
        records: Records resolved, remembered ones too.
        customers: Customers among them.
        pairs: Pairs compared.
        links: Pairs linked.
        moved: Records whose customer id is another than before.
        learned: Rules, model and threshold.
        roles: Which column was taken for which.
        explanation: Why the customer asked for is one; empty when none was.
        matches: Pairs for the identity graph.
    """

    mode: str
    incoming: Incoming
    records: int
    customers: int
    pairs: int
    links: int
    moved: int
    learned: Learned
    roles: Roles
    explanation: dict[str, Any]
    matches: Iterable[Match] = ()

    def as_dict(self) -> dict[str, Any]:
        """Give what a report shows."""
        threshold = self.learned.threshold
        return {
            "mode": self.mode,
            "records": self.records,
            "new": self.incoming.new,
            "changed": self.incoming.changed,
            "unchanged": self.incoming.unchanged,
            "customers": self.customers,
            "pairs": self.pairs,
            "links": self.links,
            "moved": self.moved,
            "threshold": threshold.probability,
            "expected_precision": threshold.expected_precision,
            "expected_recall": threshold.expected_recall,
            "rules": [vars(rule) for rule in self.learned.rules],
            "mapping": self.roles.as_dict(),
            "guessed": self.roles.is_guessed,
            "explanation": self.explanation,
        }


def resolve_file(
    file: Path, out: Path, asked: Asked, *, home: Home | None = None,
    told: Told = lambda _what, _share: None,
) -> Resolution:  # fmt: skip
    """Write a table again with a `customer_id` for every row.

    Args:
        file: A CSV or Parquet file.
        out: Where it is written, CSV or Parquet by its ending.
        asked: What is asked.
        home: The workspace that remembers; None for a file that stands alone.
        told: Is told what is done, and the share done.

    Returns:
        What was found.

    Raises:
        InputError: The file, its ids or the mapping cannot be used.
    """
    with TemporaryDirectory(prefix="regulars-") as spill:
        bench = open_bench(workers=asked.workers, memory=asked.memory, spill=Path(spill))
        try:
            return _resolved(bench, file, out, asked, home, told)
        finally:
            bench.close()


def apply_matches(state: State, matches: Iterable[Match], *, now: datetime) -> dict[str, int]:
    """Tell the identity graph which records are one customer.

    The graph keeps its own rules: two login ids are never merged, a merge that was taken back
    stays so. Every merge is in the merge log and can be taken back.

    Args:
        state: The workspace's state.
        matches: Pairs, as a resolution gives them.
        now: The moment, aware.

    Returns:
        Pairs by outcome: "" for joined or one customer already, else the reason of refusal.
    """
    at = now.astimezone(UTC).isoformat(timespec="microseconds")
    outcomes: Counter[str] = Counter()
    waiting = list(matches)
    for start in range(0, len(waiting), _AT_ONCE):
        part = waiting[start : start + _AT_ONCE]
        outcomes.update(link(state, [(m.a, m.b, _evidence(m, at)) for m in part]))
    return dict(sorted(outcomes.items()))


def aliases(state: State) -> dict[str, str]:
    """Give the present customer id of every id that matching retired.

    Returns:
        Customer id by alias; empty when nobody was ever joined.
    """
    with state.reading() as reading:
        rows = reading.all(_QUERIES["aliases"])
    return {row["old_id"]: row["customer_id"] for row in rows}


def _evidence(match: Match, at: str) -> Evidence:
    return Evidence(at, match.evidence, "matching", PROBABILISTIC, match.rule, match.probability)


def _resolved(
    bench: Bench, file: Path, out: Path, asked: Asked, home: Home | None, told: Told
) -> Resolution:
    told("read: the file", 0.0)
    columns = read_file(bench, file)
    roles = checked_roles(asked.roles, columns) if asked.roles else roles_by_name(columns)
    check_output(out, columns, roles, read=file)
    if home and "id" not in roles.single:
        raise InputError(
            "no column is the id of a row, so nothing can be remembered; map one as id, or leave "
            "--dir out"
        )
    clean_records(bench, roles)
    memory = _Memory(home, roles.source) if home else None
    remembered, learned = memory.load() if memory else (None, None)
    told("read: what is remembered", 0.3)
    seen = compare_with(bench, remembered)
    told("read: what is remembered", 0.6)
    near = None
    if learned and remembered and _is_little(bench, remembered, seen, asked):
        near = place_near(bench, remembered, seen, learned, asked.wishes, asked.explain)
    else:
        place_all(bench, remembered, seen)
    told("read: what is remembered", 1.0)
    if near and learned:
        clusters = resolve_new(bench, near, learned, asked.wishes, told)
    else:
        clusters = resolve_all(bench, asked.wishes, told)
    naming = named(bench, clusters.labels, roles.source, remembered=remembered, near=near)
    told("write: customer ids", 0.0)
    ids = naming.ids
    write_with_ids(bench, out, ids_of_file(bench, ids, remembered, seen, near), roles)
    mode = ("new only" if seen.incoming.came else "unchanged") if near else "full"
    run = _Run(mode, clusters, naming, near, *_counted(remembered, near, ids))
    number = memory.save(bench, run) if memory else 0
    explanation = explain(bench, clusters, ids.tolist(), asked.explain) if asked.explain else {}
    told("write: customer ids", 1.0)
    return Resolution(
        mode, seen.incoming, run.records, run.customers, clusters.pairs,
        len(clusters.links.left), naming.moved, clusters.learned, roles, explanation,
        _matches(bench, clusters, roles.source, number) if home else (),
    )  # fmt: skip


def _is_little(bench: Bench, remembered: Remembered, seen: Seen, asked: Asked) -> bool:
    """Say whether what came is judged beside what is remembered, which stays as it was."""
    is_ours = remembered.about.engine == engine_of(bench)
    return is_ours and not asked.fresh and (
        seen.incoming.came <= REFIT_SHARE * seen.incoming.remembered
    )  # fmt: skip


def _counted(
    remembered: Remembered | None, near: Near | None, ids: NDArray[np.object_]
) -> tuple[int, int]:
    """Count records and customers, those that are not on the bench too."""
    customers = len(set(ids.tolist()))
    if near is None or remembered is None:
        return len(ids), customers
    return records_of(remembered, near), customers + customers_far(remembered, near)


@dataclass(frozen=True)
class _Run:
    """What a run found, as it is remembered."""

    mode: str
    clusters: Clusters
    naming: Naming
    near: Near | None
    records: int
    customers: int


@dataclass(frozen=True)
class Matches:
    """The pairs of a run for the identity graph, made when they are asked for: most runs ask not.

    Attributes:
        records: `id` of every record, and `login` where there is one.
        links: Pairs linked, by place in `records`.
        source: System the ids belong to.
        evidence: The run they come from.
    """

    records: pa.Table
    links: Links
    source: str
    evidence: str

    def __iter__(self) -> Iterator[Match]:
        """Give the pairs that are not one identifier already, in order."""
        rows, links = self.records.to_pydict(), self.links
        logins = rows.get("login") or [None] * len(rows["id"])
        found = [
            Identifier(LOGIN, login) if login else Identifier(RECORD, f"{self.source}:{name}")
            for name, login in zip(rows["id"], logins, strict=True)
        ]
        parts = (links.left.tolist(), links.right.tolist(), links.probability.tolist(), links.rule)
        for a, b, chance, rule in zip(*parts, strict=True):
            if found[a] != found[b]:
                yield Match(found[a], found[b], chance, rule, self.evidence)


def _matches(bench: Bench, clusters: Clusters, source: str, run: int) -> Matches:
    records = by_record(bench, "id", *(["login"] if "login" in bench.known else []))
    return Matches(records, clusters.links, source, f"matching run {run}")


class _Memory:
    """What a workspace remembers of one source: sealed files, named by the newest run."""

    def __init__(self, home: Home, source: str) -> None:
        self._home, self._source = home, source
        self._key = derived(make_key(home.folder)).seal
        self._remembered: Remembered | None = None
        with home.state.reading() as reading:
            rows = reading.all(_QUERIES["newest_run"], source=source)
        self._run = rows[0] if rows else None

    @property
    def _files(self) -> list[str]:
        return list(json.loads(self._run["files"])) if self._run else []

    def _opened(self, names: list[str]) -> Remembered:
        folder = self._home.folder / FOLDER
        return Remembered([Kept(folder / name, self._key) for name in names])

    def load(self) -> tuple[Remembered | None, Learned | None]:
        if self._run is None:
            return None, None
        try:
            self._remembered = self._opened(self._files)
        except EarlierForm:
            # Ids are made from records, so that they come out the same.
            return None, None
        return self._remembered, learned_from(json.loads(self._run["learned"]))

    def save(self, bench: Bench, run: _Run) -> int:
        """Write what is new beside what is kept, then the run that names all of it.

        A file no run names any more is dropped last: whatever is interrupted, the newest run
        and its files belong together.

        Returns:
            Number of the run.
        """
        if run.mode == "unchanged" and self._run is not None:
            return int(self._run["number"])
        with self._home.state.reading() as reading:
            [row] = reading.all(_QUERIES["next_run"])
        number = int(row["number"])
        files = [] if run.near is None else self._files
        files.append(f"{self._source}-{number:06d}.sealed")
        self._write(
            files[-1],
            kept_of(bench, run.clusters.learned, run.naming.ids, self._remembered, run.near),
        )
        if len(files) > MOST_FILES:
            whole = f"{self._source}-{number:06d}-whole.sealed"
            self._write(whole, whole_of(self._opened(files)))
            (self._home.folder / FOLDER / files[-1]).unlink()
            files = [whole]
        self._commit(number, run, files)
        for old in set(self._files) - set(files):
            (self._home.folder / FOLDER / old).unlink(missing_ok=True)
        return number

    def _write(self, name: str, parts: Iterable[Part]) -> None:
        write_parts(self._home.folder / FOLDER / name, parts, self._key)

    def _commit(self, number: int, run: _Run, files: list[str]) -> None:
        at = self._home.now.astimezone(UTC).isoformat(timespec="microseconds")
        clusters, naming = run.clusters, run.naming
        aliases = [
            {"old_id": old, "customer_id": new, "run": number}
            for old, new in naming.aliases.items()
        ]
        with self._home.state.transaction() as transaction:
            transaction.run(
                _QUERIES["put_run"], number=number, source=self._source, at=at, mode=run.mode,
                records=run.records, customers=run.customers,
                pairs=clusters.pairs, links=len(clusters.links.left), moved=naming.moved,
                files=json.dumps(files), learned=json.dumps(clusters.learned.as_dict()),
            )  # fmt: skip
            transaction.many(_QUERIES["revive"], [{"old_id": a["customer_id"]} for a in aliases])
            transaction.many(_QUERIES["move_aliases"], aliases)
            transaction.many(_QUERIES["put_alias"], aliases)
