"""The form of an experiment shows a kept draft and changes only what is changed in it."""

from dataclasses import replace

import pytest
from tests.measure.kept_experiments import GIVEN, coupon

from regulars.measure.experiments.keeping.definition import definition_of
from regulars.serve.console.pages.money.experiment_draft import (
    definition_from,
    draft_from,
    draft_of,
)

UNEVEN = {
    "variants": [
        {"name": "control", "share": 0.8, "offers": [], "values": {"banner": "grey"}},
        {"name": "coupon", "share": 0.2, "offers": ["off10"], "values": {"banner": "red"}},
    ],
    "level": 0.9,
    "power": 0.9,
    "salt": "autumn",
    "guardrails": ["refunds", "margin"],
    "effect": 0.0123456789,
}
GRID = {name: value for name, value in GIVEN.items() if name != "variants"} | {
    "factors": {"subject": ["a", "b", "c"], "picture": ["x", "y"], "button": ["1", "2"]},
    "most_variants": 8,
}
MADE = [
    coupon(**UNEVEN),
    coupon(variants=[{"name": f"v{n}", "share": 1 / 7} for n in range(7)]),
    coupon(variants=[{"name": n, "share": 0.5, "values": {"banner": n}} for n in ("red", "blue")]),
    definition_of(GRID),
]


def written(one):
    """The form of a draft as a browser sends it."""
    draft = draft_of(one, "2026-03-02")
    texts = {k: v for k, v in vars(draft).items() if isinstance(v, str)}
    for number, row in enumerate(draft.rows):
        texts |= {f"{part}-{number}": text for part, text in vars(row).items()}
    return texts | {f"guard-{name}": "yes" for name in draft.guardrails}


@pytest.mark.parametrize("kept", MADE, ids=lambda one: f"{len(one.variants)} variants")
def test_a_draft_that_is_opened_and_kept_stays_as_it_was(kept):
    form = written(kept)
    renamed = draft_from(form | {"name": "Another name"})

    assert definition_from(draft_from(form), kept) == kept
    assert definition_from(renamed, kept) == replace(kept, name="Another name")


def test_a_changed_share_or_name_of_a_variant_leaves_the_rest_of_it():
    kept = MADE[0]
    form = written(kept) | {"share-0": "70", "share-1": "30", "name-1": "voucher"}
    found = definition_from(draft_from(form), kept)

    assert found.design == {"control": 0.7, "voucher": 0.3}
    assert [one.values for one in found.variants] == [{"banner": "grey"}, {"banner": "red"}]
    assert [one.offers for one in found.variants] == [(), ("off10",)]
    assert (found.level, found.power, found.salt) == (0.9, 0.9, "autumn")


def test_changed_factors_make_new_variants():
    form = written(MADE[3]) | {"factors": "subject: a, b"}

    assert [one.name for one in definition_from(draft_from(form), MADE[3]).variants] == ["a", "b"]
