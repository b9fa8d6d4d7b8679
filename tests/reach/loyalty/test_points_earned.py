"""Orders earn points once, whatever becomes of them; rules tried on past orders say what they would cost."""

from datetime import date, timedelta
from decimal import Decimal

from tests.reach.loyalty.conftest import moment
from tests.reach.loyalty.points_world import recount

from regulars.reach.loyalty.ledger.records import redeem, text_of
from regulars.reach.loyalty.ledger.service import post_points
from regulars.reach.loyalty.programme import read_programme
from regulars.reach.loyalty.reporting.service import expiring, liability, months
from regulars.reach.loyalty.simulating.service import newest_day, simulate

MAY = date(2026, 5, 1)
LATER = MAY + timedelta(days=30)
RICH = '[earning]\nlock_days = 10\n[earning.categories]\nDairy = 3\n"Blue cheese" = 5\n'


def test_an_order_earns_once_under_lock_and_each_category_by_its_own_multiplier(retailer):
    retailer.put(
        "products",
        {"product_id": "milk", "department": "Dairy"},
        {"product_id": "roquefort", "department": "Dairy", "product_type": "Blue cheese"},
    )
    retailer.rules(RICH)
    retailer.order("o1", "ann", MAY, ("milk", "2.50"), ("roquefort", "4.10"), ("bread", "3.75"))
    retailer.order("o2", "", MAY, 100)

    first, again = retailer.earns(MAY), retailer.earns(MAY)

    assert (first.orders, first.earned) == (1, 31)  # 7.50 + 20.50 + 3.75
    assert (again.orders, again.earned) == (0, 0)
    assert retailer.has("ann", MAY) == (0, 31, 0)
    assert retailer.has("ann", MAY + timedelta(days=10)) == (31, 0, 0)


def test_orders_before_the_programme_earn_nothing(retailer):
    retailer.rules()
    retailer.order("o1", "ann", date(2025, 12, 31), 100)

    assert retailer.earns(MAY).earned == 0


def test_a_return_takes_back_what_its_line_earned_and_a_late_one_is_owed(retailer):
    retailer.rules("[earning]\nlock_days = 5\n")
    retailer.order("o1", "ann", MAY, 60, ("p1", 40))
    retailer.earns(MAY)
    retailer.returns("r1", "o1", "ann", MAY, 40, "p1")

    found = [retailer.earns(MAY), retailer.earns(MAY)]

    assert [one.returned for one in found] == [40, 0]
    assert retailer.has("ann", MAY) == (0, 60, 0)
    retailer.returns("r2", "o1", "ann", LATER, 60)
    assert retailer.earns(LATER).returned == 60
    assert retailer.has("ann", LATER) == (0, 0, 0)
    assert recount(retailer.state, at=text_of(moment(LATER))) == {}


def test_a_return_nobody_can_tie_to_an_order_changes_nothing(retailer):
    retailer.rules()
    retailer.order("o1", "ann", MAY, 60)
    retailer.returns("r1", None, "ann", MAY, 60)

    assert retailer.earns(MAY).earned == 60
    assert retailer.earns(LATER).returned == 0


def version(name, status, day, paid, at):
    about = {
        "version_id": name,
        "order_id": "web1",
        "customer_id": "ann",
        "status": status,
        "source": "shop",
    }
    return about | {
        "changed_at": moment(day, at),
        "ordered_at": moment(MAY),
        "business_date": day,
        "total": Decimal(paid),
    }


def test_an_order_that_is_cancelled_or_grows_is_followed(retailer):
    retailer.rules("[earning]\nlock_days = 0\n")
    line = {"order_id": "web1", "line_id": "0", "customer_id": "ann", "product_id": "p0"}
    retailer.put("order_versions", version("v1", "placed", MAY, 50, 4))
    retailer.put("order_version_lines", line | {"version_id": "v1", "amount": Decimal(50)})
    retailer.earns(MAY)
    retailer.put("order_versions", version("v2", "updated", MAY, 80, 5))
    retailer.put("order_version_lines", line | {"version_id": "v2", "amount": Decimal(80)})
    grown = retailer.earns(MAY)
    had = retailer.has("ann", MAY)
    retailer.put("order_versions", version("v3", "cancelled", MAY, 0, 6))
    gone = retailer.earns(LATER)

    assert (grown.earned, had) == (30, (80, 0, 0))
    assert gone.returned == 80
    assert retailer.has("ann", LATER) == (0, 0, 0)
    assert retailer.earns(LATER).returned == 0


def test_an_order_whose_points_were_spent_and_stay_earns_nothing_when_it_comes_back(retailer):
    retailer.rules('[ledger]\nshortfall = "refuse"\n[earning]\nlock_days = 0\n')
    line = {"order_id": "web1", "line_id": "0", "customer_id": "ann", "product_id": "p0"}

    def turns(number, status, paid):
        retailer.put("order_versions", version(f"v{number}", status, MAY, paid, number))
        retailer.put(
            "order_version_lines", line | {"version_id": f"v{number}", "amount": Decimal(paid)}
        )
        return retailer.earns(MAY)

    turns(4, "placed", 100)
    spends = redeem("gift", "ann", 100, reason="reward")
    post_points(retailer.state, [spends], now=moment(MAY))
    gone = turns(5, "cancelled", 0)
    still, back = retailer.earns(MAY), turns(6, "placed", 100)

    assert gone.refused == still.refused == {"spent": 1}
    assert (back.orders, back.earned, back.refused) == (1, 0, {})
    assert retailer.has("ann", MAY) == (0, 0, 0)
    assert retailer.earns(MAY).orders == 0
    assert turns(7, "updated", 130).earned == 30
    assert recount(retailer.state, at=text_of(moment(MAY))) == {}


def test_orders_whose_ids_look_like_keys_of_others_earn_what_they_should(retailer):
    retailer.rules("[earning]\nlock_days = 0\n")
    retailer.order("web1/1", "bea", MAY, 10)
    line = {"order_id": "web1", "line_id": "0", "customer_id": "ann", "product_id": "p0"}
    for number, paid in ((4, 50), (5, 80)):
        retailer.put("order_versions", version(f"v{number}", "placed", MAY, paid, number))
        retailer.put(
            "order_version_lines", line | {"version_id": f"v{number}", "amount": Decimal(paid)}
        )
        retailer.earns(MAY)

    assert retailer.has("ann", MAY) == (80, 0, 0)
    assert retailer.has("bea", MAY) == (10, 0, 0)


def test_new_rules_leave_what_was_earned_as_it_was_and_its_returns_too(retailer):
    retailer.rules("[earning]\nlock_days = 0\n")
    retailer.order("o1", "ann", MAY, 100)
    retailer.earns(MAY)

    retailer.rules("[earning]\nper_unit = 3\nlock_days = 0\n")
    retailer.order("o2", "ann", LATER, 10)
    changed = retailer.earns(LATER)
    retailer.returns("r", "o1", "ann", LATER, 50)

    assert changed.earned == 30
    assert retailer.earns(LATER).returned == 50
    assert retailer.has("ann", LATER) == (80, 0, 0)


def test_what_a_change_of_rules_would_cost_is_what_it_costs(retailer):
    retailer.put("products", {"product_id": "milk", "department": "Dairy"})
    retailer.rules("[earning]\nlock_days = 0\n")
    for n in range(40):
        retailer.order(
            f"o{n}",
            f"c{n % 7}",
            date(2026, 3, 1) + timedelta(days=n),
            ("milk", "3.30"),
            ("p", f"{n}.95"),
        )
    earned = retailer.earns(LATER).earned
    richer = read_programme(
        'name="a"\nstarts_on=2026-01-01\npoint_value="0.02"\n[earning]\nper_unit="1.5"\n[earning.categories]\nDairy=2\n'
    )

    found = simulate(retailer.app.engine, read_programme(retailer_rules()), richer, as_of=LATER)

    assert found.points == earned
    assert found.cost == Decimal(earned) / 100
    assert found.proposed == sum(
        int(Decimal(f"{n}.95") * Decimal("1.5") + Decimal("9.90")) for n in range(40)
    )
    assert [one.month for one in found.by_month] == ["2026-03", "2026-04"]
    assert found.proposed_cost == (found.proposed * Decimal("0.02")).quantize(Decimal("0.01"))
    assert newest_day(retailer.app.engine) == date(2026, 4, 9)


def retailer_rules():
    return 'name = "a"\nstarts_on = 2026-01-01\npoint_value = "0.01"\n'


def test_the_liability_says_what_is_owed_by_month_and_what_history_lets_expect(retailer):
    retailer.rules('[earning]\nlock_days = 0\n[expiry]\nmethod = "month_end"\nafter = 0\n')
    retailer.order("o1", "ann", date(2026, 4, 2), 100)
    retailer.order("o2", "bob", MAY, 300)
    retailer.order("o3", "ann", LATER, 100)
    retailer.earns(MAY)
    retailer.earns(LATER)

    found = liability(retailer.state, point_value=Decimal("0.01"), now=moment(LATER))
    with retailer.state.reading() as opened:
        soon = expiring(opened, after=moment(LATER), until=moment(LATER + timedelta(days=2)))

    assert (found.active, found.holders, found.amount) == (400, 2, Decimal("4.00"))
    assert (found.breakage, found.matured, found.expected) == (1.0, 1, Decimal("0.00"))
    assert [(one.month, one.active) for one in found.by_month] == [
        ("2026-05", 300),
        ("2026-06", 100),
    ]
    assert [(one.customer_id, one.points) for one in soon] == [("bob", 300), ("ann", 100)]
    assert [
        (one.month, one.issued, one.expired)
        for one in months(retailer.state, since=moment(MAY - timedelta(days=300)))
    ] == [("2026-05", 500, 100)]
