"""Traps: shared phones, two login ids, chains of weak links, junk values, tiny tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.errors import InputError, UnknownName
from regulars.testing.people import make_records
from regulars.unify.matching.clusters import NOBODY, Graph, agglomerate, components


def person(number, **said):
    return {
        "id": f"r{number}",
        "name": None,
        "phone": None,
        "birth_date": None,
        "email": None,
    } | said


def test_two_records_with_one_phone_and_name_are_one_customer_even_in_a_tiny_table(resolve):
    rows = [
        person(1, name="王小明", phone="138 0013 8001"),
        person(2, name="王小明", phone="+86 13800138001"),
        person(3, name="李雷", phone="13900139002"),
    ]

    _, [one, same, other] = resolve(rows)

    assert one == same
    assert other != one


def test_two_login_ids_are_never_one_customer_whatever_they_share(resolve):
    rows = [
        person(n, name="王小明", phone="13800138001", birth_date="1980-05-01") | {"login": login}
        for n, login in enumerate(["u1", "u2", None, "u1"])
    ]

    _, found = resolve(rows)

    assert found[0] == found[3] == "u1"
    assert found[1] == "u2"
    assert found[2] in {"u1", "u2"}


def test_a_family_that_shares_phone_and_address_stays_several_customers(resolve):
    records = make_records(4_000, seed=2).drop_columns("person").to_pylist()
    home = {"city": "杭州", "address": "杭州市中山路1号2栋303室", "phone": "13712345678"}
    family = [
        {"id": "f1", "name": "赵建国", "gender": "男", "birth_date": "1975-03-02", "email": None},
        {"id": "f2", "name": "孙丽华", "gender": "女", "birth_date": "1977-11-20", "email": None},
        {"id": "f3", "name": "赵子轩", "gender": "男", "birth_date": "2004-07-15", "email": None},
    ]

    _, found = resolve(records + [one | home for one in family])

    assert len(set(found[-3:])) == 3


def test_a_phone_that_hundreds_share_proves_nothing(resolve):
    rows = [person(n, name="王伟", phone="13711112222") for n in range(250)]

    _, found = resolve(rows)

    assert len(set(found)) > 1


def test_one_odd_record_does_not_chain_two_groups_together():
    left = np.array([0, 0, 1, 3, 3, 4, 2, 0, 1])
    right = np.array([1, 2, 2, 4, 5, 5, 3, 3, 4])
    weight = np.array([9.0, 9, 9, 9, 9, 9, 4, -9, -9])
    graph = Graph(6, left, right, weight, np.full(6, NOBODY), 10)

    merges = agglomerate(graph, stop=0.0)

    assert components(6, merges.kept, merges.gone).tolist() == [0, 0, 0, 3, 3, 3]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.floats(-20, 20)), max_size=40),
    st.lists(st.sampled_from([NOBODY, 0, 1, 2]), min_size=12, max_size=12),
    st.integers(2, 12),
)
def test_no_cluster_ever_holds_two_logins_or_more_than_the_cap(links, login, most):
    known = {(min(a, b), max(a, b)): w for a, b, w in links if a != b}
    ends = np.array(sorted(known), dtype=np.int64).reshape(-1, 2)
    weight = np.array([known[tuple(pair)] for pair in ends.tolist()])
    graph = Graph(12, ends[:, 0], ends[:, 1], weight, np.array(login), most)

    merges = agglomerate(graph, stop=-5.0)

    labels = components(12, merges.kept, merges.gone)
    for label in set(labels.tolist()):
        inside = np.flatnonzero(labels == label)
        assert len(inside) <= most
        assert len({login[n] for n in inside} - {NOBODY}) <= 1


@pytest.mark.parametrize("rows", [1, 2])
def test_a_table_without_pairs_gives_every_row_a_customer_of_its_own(resolve, rows):
    _, found = resolve([person(n, name=name) for n, name in enumerate(["王一", "李二"][:rows])])

    assert len(set(found)) == rows


def test_an_id_that_stands_twice_is_refused_by_name(resolve):
    with pytest.raises(InputError, match="'r1' stands in 2 rows"):
        resolve([person(1, name="王一"), person(1, name="李二")])


def test_a_table_nobody_can_be_told_apart_by_is_refused(resolve):
    with pytest.raises(InputError, match="say which is which with --mapping"):
        resolve([{"id": "1", "colour": "red"}])


def test_a_mapping_that_names_no_column_says_which_there_are(resolve):
    from regulars.unify.matching.mapping import roles_of

    with pytest.raises(UnknownName, match="no column named 'mobil'; known: id, mobile"):
        resolve([{"id": "1", "mobile": "13800138001"}], roles=roles_of({"phone": "mobil"}))
