"""Online decisions, journeys and turns share money, cells and stock, and pass none of them."""

import random
import threading
from dataclasses import replace
from decimal import Decimal

import msgspec
import numpy as np
import pytest
from tests.decide.test_online import ask, known

from regulars.adapters.state import SQLState, migrate
from regulars.decide.online.cells.service import Cell, Cells
from regulars.decide.online.sharing import service
from regulars.decide.online.sharing.service import (
    CELL,
    MONEY,
    STOCK,
    Limit,
    Shares,
    Want,
    take_within,
)
from regulars.decide.online.wanting import closed_cells, counted, wants_of
from regulars.numerics.hashing import key_of

ALL = Limit(3, MONEY, "")
TEA = Limit(0, STOCK, "tea")
LEFT = "SELECT stock - given AS remaining FROM offer_stock WHERE offer_id = 'tea'"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").new_database()
    migrate(url)
    state = SQLState(url)
    with state.transaction() as opened:
        opened.run("INSERT INTO offer_stock (offer_id, stock, given) VALUES ('tea', 300, 0)")
    state.close()
    return url


def remaining(state):
    with state.reading() as opened:
        [row] = opened.all(LEFT)
    return int(row["remaining"])


def contacted(state):
    """A contact of a turn claims one, as the send ledger does."""
    with state.transaction() as opened:
        return opened.run(
            "UPDATE offer_stock SET given = given + 1 WHERE offer_id = 'tea' AND given < stock"
        )


def test_pages_journeys_and_contacts_at_once_give_all_of_a_stock_and_not_one_more(url):
    given, lock = {"page": 0, "contact": 0}, threading.Lock()
    wants = [Want(TEA, 1), Want(ALL, 7, 1400)]

    def pages():
        state = SQLState(url)
        shares = Shares(state, taker="server")
        got = sum(not shares.take(wants) for _time in range(500))
        shares.close()
        with lock:
            given["page"] += got
        state.close()

    def contacts():
        state = SQLState(url)
        got = sum(contacted(state) for _time in range(150))
        with lock:
            given["contact"] += got
        state.close()

    threads = [threading.Thread(target=work) for work in (pages, contacts, contacts)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    state = SQLState(url)

    assert given["page"] + given["contact"] + remaining(state) == 300
    assert given["page"] <= 200, "there is money for two hundred"
    with state.reading() as opened:
        [row] = opened.all("SELECT taken FROM online_takings WHERE kind = 'money' AND taker = ''")
    assert row["taken"] == 7 * given["page"]
    state.close()


def test_after_a_crash_what_was_taken_and_not_used_is_there_again(url):
    state = SQLState(url)
    dies = Shares(state, taker="server")
    used = sum(not dies.take([Want(TEA, 1), Want(ALL, 5, 1000)]) for _time in range(3))
    assert remaining(state) < 300 - used

    again = Shares(state, taker="server")
    again.restore({TEA: used, ALL: 5 * used})

    assert remaining(state) == 300 - used
    assert not again.take([Want(ALL, 1000 - 5 * used, 1000)])
    assert again.take([Want(ALL, 1, 1000)]) == "money"
    state.close()


def test_a_part_is_taken_and_what_is_left_of_it_given_back(url):
    state = SQLState(url)
    shares = Shares(state, taker="server")

    assert shares.take([Want(TEA, 1)]) == ""
    assert remaining(state) == 285, "a twentieth"
    assert shares.has(TEA)
    shares.close()
    assert remaining(state) == 299
    state.close()


def test_a_decision_gets_all_it_wants_or_nothing(url):
    state, cell = SQLState(url), Limit(3, CELL, "champions|sms|tea")
    wants = [[Want(ALL, 60, 100), Want(cell, 60, 60)] for _time in range(2)]
    wants.append([Want(ALL, 40, 100)])
    with state.transaction() as opened:
        found = take_within(opened, wants, taker="journeys")

    assert found == ["", "money", ""]
    shares = Shares(state, taker="server")
    assert shares.take([Want(ALL, 1, 100)]) == "money"
    assert shares.is_out(ALL, 1)
    shares.look_again()
    assert not shares.is_out(ALL, 1)
    state.close()


def test_a_cell_of_an_offer_with_a_bar_in_its_id_has_its_limit_like_any_other():
    customer, offer = "c00007", "news|2026"
    cells = Cells(
        np.array([key_of(customer)], np.uint64),
        np.zeros(1, np.int16),
        ("champions",),
        {Cell("champions", "sms", offer): 90, Cell("champions", "sms", "news"): 7},
    )
    found = msgspec.structs.replace(
        ask(known(), customer), verdict="send", offer_id=offer, channel="sms", cost=Decimal("0.15")
    )
    segment = cells.segment_of(customer, is_plain=False)

    wants = wants_of(counted(found, cells, segment, set()), cells, money=Decimal(5))

    assert wants == [
        Want(Limit(found.turn, MONEY, ""), 15, 500),
        Want(Limit(found.turn, CELL, "champions|sms|news|2026"), 15, 90),
    ]


def test_actions_of_full_cells_are_closed_whatever_was_asked_before(url):
    """What has a limit is worked out once per segment, and again for other actions."""
    knowledge = replace(known(), turn=3)
    first, second = knowledge.arms[0], knowledge.arms[1]
    left = {
        Cell("champions", first.channel, first.offer_id): 0,
        Cell("champions", second.channel, second.offer_id): 1_000,
        Cell("asleep", second.channel, second.offer_id): 0,
    }
    none = np.array([], np.uint64)
    cells = Cells(none, none.astype(np.int16), ("asleep", "champions"), left)
    knowledge = replace(knowledge, cells=cells)
    fewer = replace(known(arms=knowledge.arms[1:]), cells=cells)
    shares = Shares(SQLState(url), taker="server")

    found = [closed_cells(knowledge, "champions", shares) for _time in range(2)]
    others = closed_cells(knowledge, "asleep", shares), closed_cells(fewer, "champions", shares)
    cell = Limit(3, CELL, Cell("champions", second.channel, second.offer_id).name)
    assert shares.take([Want(cell, 2_000, 1_000), Want(ALL, 1, 1)]) == CELL
    full = closed_cells(knowledge, "champions", shares)

    assert found == [{first.name: "budget"}] * 2
    assert others == ({second.name: "budget"}, {})
    assert set(full) == {first.name}  # a contact that takes less may still be had
    assert shares.take([Want(cell, 1_000, 1_000)]) == ""
    assert shares.take([Want(cell, int(second.cost * 100), 1_000)]) == CELL
    assert set(closed_cells(knowledge, "champions", shares)) == {first.name, second.name}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_order_no_limit_is_passed_and_nothing_is_lost(url, seed):
    draw, state = random.Random(seed), SQLState(url)
    server, used, money = Shares(state, taker="server"), 0, 0
    for _step in range(60):
        kind = draw.choice(["page", "page", "journey", "contact", "crash", "restart"])
        if kind == "page":
            cost = draw.randint(1, 30)
            if not server.take([Want(ALL, cost, 500), Want(TEA, 1)]):
                used, money = used + 1, money + cost
        elif kind == "journey":
            cost = draw.randint(1, 30)
            with state.transaction() as opened:
                [short] = take_within(opened, [[Want(ALL, cost, 500)]], taker="journeys")
            money += 0 if short else cost
        elif kind == "contact":
            contacted(state)
        elif kind == "restart":
            server.close()
        else:
            with state.reading() as opened:
                mine = opened.all(
                    "SELECT taken FROM online_takings WHERE taker = 'journeys' AND kind = 'money'"
                )
            others = sum(row["taken"] for row in mine)
            server = Shares(state, taker="server")
            server.restore({TEA: used, ALL: money - others})
        assert money <= 500
        assert remaining(state) >= 0
    state.close()


def test_without_the_look_at_what_others_took_the_money_would_be_passed(url, monkeypatch):
    state = SQLState(url)
    monkeypatch.setattr(service, "_taken", lambda *_given: 0)
    with state.transaction() as opened:
        for taker in ("", "server", "journeys"):
            opened.run("INSERT INTO online_takings VALUES (3, 'money', '', :taker, 0)", taker=taker)
    for taker in ("server", "journeys"):
        with state.transaction() as opened:
            assert take_within(opened, [[Want(ALL, 80, 100)]], taker=taker) == [""]
    with state.reading() as opened:
        [row] = opened.all("SELECT taken FROM online_takings WHERE taker = ''")

    assert row["taken"] == 160 > 100
    state.close()
