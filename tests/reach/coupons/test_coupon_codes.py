"""Codes: unguessable, whole, read as people write them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.errors import InputError
from regulars.reach.coupons.codes import ALPHABET, check_sign, code_at, is_whole, normal, shown

SECRET = b"a secret of thirty-two bytes...."
numbers = st.integers(0, 10**9)
places = st.integers(0, 11)


def exchanged(code, one, other):
    signs = list(code)
    signs[one], signs[other] = signs[other], signs[one]
    return "".join(signs)


def test_ten_thousand_codes_are_different_and_the_same_next_time():
    codes = [code_at(SECRET, number) for number in range(10_000)]

    assert len(set(codes)) == 10_000
    assert codes[77] == code_at(SECRET, 77)
    assert code_at(b"another secret..", 77) != codes[77]


def test_every_sign_is_drawn_equally_often():
    signs = "".join(code_at(SECRET, number)[:-1] for number in range(10_000))

    expected = len(signs) / len(ALPHABET)
    chi_squared = sum((signs.count(sign) - expected) ** 2 / expected for sign in ALPHABET)
    # The 0.999 quantile of chi-squared with 22 degrees of freedom.
    assert chi_squared < 48.3


@given(numbers, places, st.sampled_from(ALPHABET))
def test_any_one_sign_read_wrong_is_seen(number, place, sign):
    code = code_at(SECRET, number)
    wrong = code[:place] + sign + code[place + 1 :]

    assert is_whole(wrong) == (wrong == code)


@given(numbers, places, places)
def test_any_two_signs_exchanged_are_seen(number, one, other):
    code = code_at(SECRET, number)
    wrong = exchanged(code, one, other)

    assert is_whole(wrong) == (wrong == code)


def test_a_plain_sum_would_not_see_signs_exchanged():
    """The bug of a check sign without weights."""
    code = code_at(SECRET, 1)
    plain = {
        sum(ALPHABET.index(sign) for sign in exchanged(code, one, other)) % 23
        for one, other in itertools.combinations(range(11), 2)
    }

    assert len(plain) == 1
    weighted = {
        check_sign(exchanged(code, one, other)[:-1])
        for one, other in itertools.combinations(range(11), 2)
        if code[one] != code[other]
    }
    assert code[-1] not in weighted


@given(numbers)
def test_a_code_is_read_however_it_is_written(number):
    code = code_at(SECRET, number)
    confused = shown(code).lower().replace("2", "z").replace("8", "b").replace("6", "g")

    assert normal(confused) == code
    assert normal(f" {shown(code)} ") == code


@pytest.mark.parametrize("text", ["", " - ", "x" * 65])
def test_what_is_no_code_says_what_is_wanted(text):
    with pytest.raises(InputError, match="must have 1 to 64 letters or digits"):
        normal(text)
