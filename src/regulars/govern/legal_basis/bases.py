"""Which legal bases there are, and which kinds of sources need which."""

from dataclasses import dataclass

from regulars.errors import InputError, UnknownName

BASES = {
    "consent": "PIPL Art. 13(1)",
    "separate_consent": "PIPL Art. 14 and 29",
    "contract": "PIPL Art. 13(2)",
    "legal_duty": "PIPL Art. 13(3)",
    "public_information": "PIPL Art. 13(6)",
}

_SENSED = frozenset({"consent", "separate_consent"})
_RECOGNISED = frozenset({"separate_consent"})
GATED: dict[str, tuple[frozenset[str], str]] = {
    "ble": (_SENSED, "phones seen in a store can be followed: PIPL Art. 13"),
    "wifi": (_SENSED, "phones seen in a store can be followed: PIPL Art. 13"),
    "rfid": (_SENSED, "tags tell what somebody carries: PIPL Art. 13"),
    "nfc": (_SENSED, "cards and phones name their holder: PIPL Art. 13"),
    "camera": (_RECOGNISED, "images in public places beyond security: PIPL Art. 26"),
    "voice": (_RECOGNISED, "voices tell persons apart: PIPL Art. 26 and 29"),
    "partner": (_RECOGNISED, "another company hands over personal data: PIPL Art. 23"),
    "social": (
        frozenset({"separate_consent", "public_information", "consent"}),
        "what people publish is used for another purpose: PIPL Art. 27",
    ),
}


@dataclass(frozen=True)
class LegalBasis:
    """What allows one source of personal data to be read.

    Attributes:
        source: The source.
        kind: What kind it is, a key of `GATED`.
        basis: The basis, a key of `BASES`.
        article: Article relied on.
        evidence: Where the proof is kept: a document, a notice, a contract.
        recorded_by: Who recorded it.
        recorded_at: When.
        withdrawn_at: When it ended; None while it holds.
    """

    source: str
    kind: str
    basis: str
    article: str
    evidence: str
    recorded_by: str
    recorded_at: str
    withdrawn_at: str | None = None


def require_fitting(kind: str, basis: str, evidence: str) -> None:
    """Check that a basis can carry a kind of source.

    Args:
        kind: Kind of source.
        basis: Basis to be recorded.
        evidence: Where the proof is kept.

    Raises:
        UnknownName: There is no such kind or basis.
        InputError: The basis cannot carry the kind, or there is no evidence.

    Source: PIPL (2021) Art. 13, 14, 23, 26, 27, 29; the choice of bases is ours, a lawyer decides.
    """
    if kind not in GATED:
        raise UnknownName("kind of source that needs a legal basis", kind, GATED)
    if basis not in BASES:
        raise UnknownName("legal basis", basis, BASES)
    allowed, why = GATED[kind]
    if basis not in allowed:
        raise InputError(
            f"{basis} cannot carry a source of kind {kind} ({why}); "
            f"use one of: {', '.join(sorted(allowed))}"
        )
    if not evidence.strip():
        raise InputError("evidence is empty; say where the proof is kept, such as a document")
