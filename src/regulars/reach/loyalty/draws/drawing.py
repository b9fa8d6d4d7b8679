"""What a draw gives, as anybody can work it out once its seed is shown: pure.

A round begins with a secret seed, and shows its SHA-256 and the odds. Draw number n is
HMAC-SHA256 of the seed over the round, the number and the key of the draw, as a fraction of
2^128; the prize is the one whose share of the line from 0 to 1 it falls in. When the round ends
the seed is shown, and every draw can be worked out again.

Source: commitment by hash after Blum (1983), "Coin flipping by telephone"; HMAC after RFC 2104.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from regulars.reach.loyalty.programme.definition import Draw, Prize

_WHOLE = 2**128


@dataclass(frozen=True)
class Doubt:
    """One draw of a round that does not come out as it was told.

    Attributes:
        number: Number of the draw within its round; 0 for the round itself.
        says: What was told.
        gives: What the seed gives.
    """

    number: int
    says: str
    gives: str


def commitment(seed: str) -> str:
    """Give what is shown of a seed beforehand.

    Args:
        seed: The seed, 64 hexadecimal digits.

    Returns:
        SHA-256 of its bytes, hexadecimal.

    Example:
        >>> commitment("00" * 32)[:16]
        '66687aadf862bd77'
    """
    return hashlib.sha256(bytes.fromhex(seed)).hexdigest()


def drawn(seed: str, round_number: int, number: int, key: str) -> str:
    """Give the number a draw comes to.

    Args:
        seed: The seed of the round.
        round_number: The round.
        number: Number of the draw within it, from 1.
        key: Idempotency key of the draw.

    Returns:
        32 hexadecimal digits: a fraction of 2^128.
    """
    told = f"{round_number}/{number}/{key}".encode()
    return hmac.new(bytes.fromhex(seed), told, hashlib.sha256).hexdigest()[:32]


def prize_of(draw: Draw, number: str) -> Prize:
    """Give the prize a number falls on, whether or not there is any left.

    Args:
        draw: The draw.
        number: 32 hexadecimal digits.

    Returns:
        The prize.

    Example:
        >>> from fractions import Fraction as F
        >>> prizes = (Prize("a", "A", F(1, 4)), Prize("b", "B", F(3, 4)))
        >>> [prize_of(Draw("d", 0, 1, prizes, "b"), x + "0" * 31).id for x in "034f"]
        ['a', 'a', 'b', 'b']
    """
    place, end = Fraction(int(number, 16), _WHOLE), Fraction(0)
    for prize in draw.prizes:
        end += prize.share
        if place < end:
            return prize
    return draw.prizes[-1]


def odds(draw: Draw) -> str:
    """Write the odds as they are published, the same text for the same draw.

    Returns:
        JSON: cost, draws a day, the prize for what is used up, and each prize with its share,
        value and stock.
    """
    prizes = [
        {
            "id": one.id,
            "title": one.title,
            "share": str(one.share),
            "points": one.points,
            "offer_id": one.offer_id,
            "value": str(one.value),
            "stock": one.stock,
        }
        for one in draw.prizes
    ]
    told = {"id": draw.id, "cost": draw.cost, "per_day": draw.per_day, "gone": draw.gone}
    return json.dumps(told | {"prizes": prizes}, ensure_ascii=False, sort_keys=True)


def draw_of(published: str) -> Draw:
    """Read a draw back from its published odds.

    Args:
        published: As `odds` wrote them.

    Returns:
        The draw.
    """
    told = json.loads(published)
    prizes = tuple(
        Prize(**{
            **one,
            "share": Fraction(one["share"]),
            "value": Decimal(one["value"]),
        })
        for one in told["prizes"]
    )
    return Draw(told["id"], told["cost"], told["per_day"], prizes, told["gone"])


def doubts(
    draw: Draw,
    *,
    seed: str,
    committed: str,
    round_number: int,
    told: Sequence[Mapping[str, Any]],
    given_before: Mapping[str, int] | None = None,
) -> list[Doubt]:
    """Work a round out again and list what differs.

    Args:
        draw: The draw with the odds that were published.
        seed: The seed, shown at the end.
        committed: What was shown of it at the beginning.
        round_number: The round.
        told: Every draw: number, key, prize_id, in the order of numbers.
        given_before: Prizes of limited stock given in earlier rounds, by prize.

    Returns:
        Draws that do not come out, and numbers left out; empty for an honest round.
    """
    found = []
    if commitment(seed) != committed:
        found.append(Doubt(0, committed, commitment(seed)))
    given = dict(given_before or {})
    for expected, row in enumerate(told, 1):
        if row["number"] != expected:
            found.append(Doubt(expected, f"number {row['number']}", f"number {expected}"))
            break
        prize = prize_of(draw, drawn(seed, round_number, expected, row["key"]))
        if prize.stock is not None and given.get(prize.id, 0) >= prize.stock:
            won = draw.gone
        else:
            won = prize.id
            given[won] = given.get(won, 0) + 1
        if won != row["prize_id"]:
            found.append(Doubt(expected, row["prize_id"], won))
    return found
