"""What allows a claim: evidence about exactly these words, and names from the catalogue."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from regulars.errors import InputError
from regulars.govern.copycheck.findings import Considered, Copy
from regulars.govern.copycheck.rulebook.loading import require_known
from regulars.govern.copycheck.rulebook.records import Rule
from regulars.govern.copycheck.text.normalise import View, normalise

_WANTED = ("source", "institution", "period", "scope")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Proof of one claim.

    Attributes:
        evidence_id: Its id.
        kind: ranking, survey, lab_report, registration, contract, novelty_search, price_history,
            campaign_end, clearance, green_certificate, national_certificate, own_award...
        claim: The words it proves, as the copy says them.
        source: The document: report, certificate or contract with its number.
        institution: Who made it.
        period: What time it speaks of.
        scope: What it speaks of: market, sample, product, conditions.
        valid_to: Last day it may be relied on; None is not accepted.
        product: Product id when it holds for one only; "" for any.
        url: Where it can be read; "" for none.
        offsets_used: For green claims: whether it rests on offsetting.
    """

    evidence_id: str
    kind: str
    claim: str
    source: str = ""
    institution: str = ""
    period: str = ""
    scope: str = ""
    valid_to: date | None = None
    product: str = ""
    url: str = ""
    offsets_used: bool = False


@dataclass(frozen=True, slots=True)
class CatalogueName:
    """A name that may hold words a rule speaks on.

    Attributes:
        name: The name as it is written.
        kind: brand, trademark, product, series, company.
        record: Number of the trademark or of the registration; "" for none.
    """

    name: str
    kind: str = "brand"
    record: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What evidence says of one place.

    Attributes:
        considered: Each one looked at.
        evidence_id: The one that held, or else the last one looked at; "" for none.
        holds: Whether one held.
        is_expired: Whether one was about these words but is over.
    """

    considered: tuple[Considered, ...] = ()
    evidence_id: str = ""
    holds: bool = False
    is_expired: bool = False


def proof_of(
    rule: Rule,
    copy: Copy,
    view: View,
    place: tuple[int, int],
    *,
    evidence: Sequence[Evidence],
    as_of: date,
) -> Proof:
    """Say whether evidence lifts a rule at one place.

    Evidence lifts only a place its own claim covers, word for word; it must be complete and not
    be over.

    Args:
        rule: The rule that speaks.
        copy: The copy.
        view: The copy in normal form.
        place: Start and end within the view.
        evidence: What is on file.
        as_of: The day asked about.

    Returns:
        Whether it is lifted, by which, and what was looked at.
    """
    seen: list[Considered] = []
    last, is_expired = "", False
    for one in evidence:
        if one.kind not in rule.lifted_by or not _covers(one.claim, view, place):
            continue
        why = _fault(one, copy, as_of)
        last = one.evidence_id
        is_expired = is_expired or why.startswith("expired")
        seen.append(Considered(one.kind, f"evidence {one.evidence_id}", not why, why or "holds"))
        if not why:
            return Proof(tuple(seen), last, holds=True)
    return Proof(tuple(seen), last, is_expired=is_expired)


def name_over(
    view: View, place: tuple[int, int], names: Sequence[CatalogueName]
) -> Considered | None:
    """Say whether a name of the catalogue covers a place.

    Returns:
        What was considered; None when no name stands there.
    """
    for one in names:
        if not _covers(one.name, view, place):
            continue
        is_bare = len(_plain(one.name)) <= place[1] - place[0] and not one.record
        why = (
            f"{one.name!r} is nothing but the claim and has no trademark record"
            if is_bare
            else f"inside the {one.kind} {one.name!r} {one.record}".strip()
        )
        return Considered("name", "Art. 6, a name or trademark", not is_bare, why)
    return None


def read_evidence(path: Path) -> tuple[list[Evidence], list[CatalogueName]]:
    """Read evidence and names from a TOML or JSON file.

    Args:
        path: One table per evidence, named by its id; names under `[[names]]`. In JSON the
            evidence may also be a list of objects with an `evidence_id`.

    Returns:
        The evidence and the names.

    Raises:
        InputError: The file cannot be read or a part is not known.
    """
    try:
        text = path.read_text("utf-8-sig")
        given = _json(text) if text.lstrip()[:1] in {"{", "["} else None
        given = tomllib.loads(text) if given is None else given
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path} is no TOML or JSON of evidence: {error}") from error
    if isinstance(given, list):
        given = {one.pop("evidence_id", str(n)): one for n, one in enumerate(given, 1)}
    names = [named(one) for one in given.pop("names", ())]
    return [evidence_of(name, one) for name, one in given.items()], names


def evidence_of(evidence_id: str, given: Mapping[str, Any]) -> Evidence:
    """Read one piece of evidence from plain values.

    Returns:
        The evidence.

    Raises:
        InputError: A part is missing, unknown, or no date.
    """
    return Evidence(evidence_id, **_checked(f"evidence {evidence_id}", given, Evidence, 1))


def named(given: Mapping[str, Any]) -> CatalogueName:
    """Read one name from plain values.

    Returns:
        The name.

    Raises:
        InputError: A part is missing or unknown.
    """
    return CatalogueName(**_checked("name", given, CatalogueName, 0))


def _json(text: str) -> Any:
    """Read JSON; None when it is none: TOML may begin with a bracket too."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _checked(what: str, given: Any, kind: Any, skipped: int) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise InputError(f"{what} is {given!r}, must be a table of values")
    known = [one.name for one in fields(kind)][skipped:]
    odd = sorted(set(given) - set(known))
    if odd:
        raise InputError(f"{what} has {odd[0]!r}; known: {', '.join(known)}")
    needed = {"kind", "claim"} if kind is Evidence else {"name"}
    missing = sorted(one for one in needed if not given.get(one))
    if missing:
        raise InputError(f"{what} has no {missing[0]!r}; give it")
    if kind is Evidence:
        require_known(kind_of_evidence=str(given["kind"]))
    read = dict(given)
    if isinstance(read.get("valid_to"), str):
        try:
            read["valid_to"] = date.fromisoformat(read["valid_to"])
        except ValueError as error:
            raise InputError(
                f"{what}: valid_to is {read['valid_to']!r}, write YYYY-MM-DD"
            ) from error
    return read


def _covers(words: str, view: View, place: tuple[int, int]) -> bool:
    plain = _plain(words)
    if len(plain) < place[1] - place[0]:
        return False
    return view.text.find(plain, max(0, place[1] - len(plain)), place[0] + len(plain)) >= 0


@lru_cache(maxsize=4096)
def _plain(words: str) -> str:
    return normalise(words).text


def _fault(one: Evidence, copy: Copy, as_of: date) -> str:
    missing = [name for name in _WANTED if not getattr(one, name).strip()]
    if missing:
        return f"incomplete: no {missing[0]}"
    if one.valid_to is None:
        return "incomplete: no valid_to"
    if one.valid_to < as_of:
        return f"expired on {one.valid_to}"
    if one.product and copy.product and one.product != copy.product:
        return f"is about product {one.product}, not {copy.product}"
    if one.offsets_used and copy.market == "eu":
        return "rests on offsetting, which carries no claim about a product in the EU"
    return ""
