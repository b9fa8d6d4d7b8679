"""What a chart shows can be read without seeing it, and forms name offers instead of ids."""

import re

import pytest
from tests.serve.conftest import put
from tests.serve.test_money_faces import CELLS

from regulars.app import open_app


@pytest.fixture(scope="module")
def shop(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("told") / "shop"
    make_shop.filled(folder)
    put(open_app(folder), "cell_effects", CELLS, turn=2)
    with serve(folder) as running:
        yield running


def figures(page):
    """Every chart with what follows it until its section ends."""
    return [part.split("</section>")[0] for part in page.split('<figure class="chart"')[1:]]


@pytest.mark.parametrize(
    "path",
    ["/", "/budget", "/experiments", "/scorecard?until=2026-03-01&days=28", "/effects"],
)
@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_every_chart_stands_beside_a_table_of_its_numbers(shop, path, locale):
    mark = "&" if "?" in path else "?"
    drawn = figures(shop.client("marketer").get(f"{path}{mark}lang={locale}").text)

    assert drawn or path == "/effects"
    for figure in drawn:
        assert 'role="img" aria-label="' in figure
        assert re.search(r"<table>.*<td[^>]*>[^<]*\d", figure, re.S), figure[:200]


def test_the_curves_are_told_with_their_unit(shop):
    page = shop.client("marketer").get("/budget?lang=en").text
    [curves] = figures(page.split('aria-labelledby="what-if"')[0])
    head = re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', curves)

    assert head[0] == "Money in the cell"
    assert all(name.endswith(", CNY") for name in head[1:])


def test_a_pin_chooses_an_offer_by_its_name_and_no_column_is_without_one(shop):
    page = shop.client("marketer").get("/budget?lang=en&budget=900").text

    assert '<option value="off10">九折券</option>' in page
    assert not re.search(r'<th scope="col"[^>]*></th>', page)


def test_a_form_opened_just_now_is_planned_without_complaint(shop):
    client = shop.client("marketer")
    opened = client.get("/experiments/new?lang=en").text
    fields = dict(re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', opened))
    chosen = re.findall(
        r'<select[^>]* name="([^"]+)".*?<option value="([^"]*)" selected', opened, re.S
    )
    answer = client.post("/experiments/plan", data=fields | dict(chosen))

    assert fields["id"] == ""
    assert "give small letters" not in answer.text
    assert "cannot be planned" not in answer.text
