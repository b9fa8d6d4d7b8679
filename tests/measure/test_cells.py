"""Effects by segment, channel and offer: known truth, sound draws, and the step in a real lake."""

import numpy as np
import pyarrow as pa
import pytest

from regulars.measure.cells.contrasts import contrast_effects
from regulars.measure.cells.reading import cell_rows
from regulars.measure.cells.step import measure_cells
from regulars.measure.effects.customers import Compared

NAMES = ["news:email", "ten:sms"]


def drawn(seed, *, customers=2_000, effects=(0.0, 0.0), bias=0.0):
    """Customers whose better buyers are more likely to be drawn: what it would be unwise to ignore."""
    draw = np.random.default_rng(seed)
    taste = draw.normal(0, 1, customers)
    chance = np.stack([0.15 + 0.1 * (taste > 0), 0.1 + 0.2 * (taste > 1)], axis=1)
    point = draw.random(customers) * (1 - bias)
    sent = np.stack([point < chance[:, 0], (point >= chance[:, 0]) & (point < chance.sum(1))], 1)
    margin = 5 * taste + sent @ np.array(effects) + draw.normal(0, 2, customers)
    return chance, sent, margin, taste


def as_rows(chance, sent, *, segment="loyal"):
    taken = sent.any(axis=1)
    place = np.where(taken, sent.argmax(axis=1), 0)
    parts = [np.array(NAMES)[place].tolist(), taken.tolist()]
    names = [
        name.split(":") if is_sent else (None, None) for name, is_sent in zip(*parts, strict=True)
    ]
    return pa.table({
        "segment": [segment] * len(taken),
        "offer_id": [name[0] for name in names],
        "channel": [name[1] for name in names],
        "candidates": [
            f'{{"{NAMES[0]}":[1.0,{a / 0.9:.6f}],"{NAMES[1]}":[1.0,{b / 0.9:.6f}]}}'
            for a, b in chance.tolist()
        ],
        "taken": np.where(taken, 1.5, 0.0),
        "spent": np.where(taken, 0.5, 0.0),
    })


def as_customers(sent, margin, taste):
    outcomes = np.zeros((len(margin), 4))
    outcomes[:, 2] = margin
    return Compared(outcomes, sent.any(axis=1), taste[:, None])


def test_the_effect_is_found_though_better_buyers_are_drawn_more_often():
    off, naive = [], []
    for seed in range(20):
        chance, sent, margin, _taste = drawn(seed, effects=(1.0, 0.0))
        found = contrast_effects(margin, sent - chance, np.zeros((len(margin), 0)))
        off.append((found.effect - [1.0, 0.0]) / found.error)
        naive.append(margin[sent[:, 1]].mean() - margin[~sent[:, 1]].mean())

    assert np.abs(np.mean(off, axis=0)).max() < 3 / np.sqrt(20)
    assert 0.7 < np.std(off) < 1.3
    assert np.mean(naive) > 1


def test_covariates_make_it_surer_and_change_nothing_else():
    chance, sent, margin, taste = drawn(1, effects=(1.0, 0.0))

    bare, told = (
        contrast_effects(margin, sent - chance, known)
        for known in (np.zeros((len(margin), 0)), taste[:, None])
    )

    assert (told.error < 0.6 * bare.error).all()
    assert told.effect == pytest.approx([1.0, 0.0], abs=4 * told.error.max())


def test_a_cell_tells_its_spend_and_its_effect_before_any_cost():
    chance, sent, margin, taste = drawn(3, effects=(0.0, 3.0))

    found = cell_rows(as_rows(chance, sent), as_customers(sent, margin, taste), 4, held_out=0.1)

    ten = next(row for row in found if row["offer_id"] == "ten")
    count = int(sent[:, 1].sum())
    assert (ten["channel"], ten["status"], ten["treated"], ten["measured_turn"]) == (
        "sms",
        "ok",
        count,
        4,
    )
    assert ten["spend"] == pytest.approx(1.5 * count)
    assert ten["effect"] == pytest.approx((3.0 + 1.0) * count, abs=4 * ten["standard_error"])
    assert ten["most"] == pytest.approx(1.5 * len(margin))


def test_a_draw_that_is_not_what_was_logged_is_not_read():
    chance, sent, margin, taste = drawn(5, bias=0.25)

    found = cell_rows(as_rows(chance, sent), as_customers(sent, margin, taste), 1, held_out=0.1)

    assert "srm" in {row["status"] for row in found}
    assert all(row["effect"] is None for row in found if row["status"] != "ok")


def test_few_customers_tell_of_the_spend_only():
    chance, sent, margin, taste = drawn(2, customers=60)

    found = cell_rows(as_rows(chance, sent), as_customers(sent, margin, taste), 1, held_out=0.1)

    assert {row["status"] for row in found} == {"too_few"}
    assert sum(row["spend"] for row in found) == pytest.approx(1.5 * sent.sum())


def test_the_step_measures_each_closed_turn_once(shop):
    made = shop(customers=3_000, lift=4.0)
    decided = made.rows("decisions")
    offers = [("news:sms", "money:app")[place % 2] for place in range(len(decided))]
    columns = {name: [row[name] for row in decided] for name in decided[0] if name != "turn"}
    columns["candidates"] = [f'{{"{offer}":[1.0,0.4]}}' for offer in offers]
    columns["offer_id"] = [
        offer.split(":")[0] if row["campaign_id"] else None
        for offer, row in zip(offers, decided, strict=True)
    ]
    columns["channel"] = [
        offer.split(":")[1] if row["campaign_id"] else None
        for offer, row in zip(offers, decided, strict=True)
    ]
    # Decided without features: of no segment here either, though one is known.
    columns["model_version"] = [
        "uplift-001/plain" if place % 5 == 0 else "uplift-001" for place in range(len(decided))
    ]
    made.put("decisions", columns, turn=1)
    ids = [row["customer_id"] for row in decided]
    made.put("rfm_scores", {"customer_id": ids, "segment": ["loyal"] * len(ids)}, turn=1)

    def step(number):
        engine = made.engine.bound(measure_cells, number)
        return measure_cells.run(
            engine,
            made.turn(number),
            window_days=7,
            margin_rate=0.25,
            campaign_holdout=0.1,
        )

    assert step(2) == 4
    assert {row["segment"] for row in made.rows("cell_effects")} == {"loyal", "unscored"}

    for row in made.rows("cell_effects"):
        per_contact = row["effect"] / row["treated"]
        assert row["status"] == "ok"
        assert per_contact == pytest.approx(1.0, abs=4 * row["standard_error"] / row["treated"])
    made.put("profiles", {"customer_id": ids, "as_of": [made.turn(3).as_of] * len(ids)}, turn=3)
    assert step(3) == 0
