"""The how-to about running an experiment does what it says, command by command."""

import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.measure.kept_experiments import open_shop, orders_of, visits_of

from regulars.measure.experiments.keeping.definition import read_definition
from regulars.measure.experiments.keeping.exposing.service import Exposing
from regulars.serve.cli.main import main

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "run-an-experiment.md").read_text("utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)


def test_the_page_leads_from_idea_to_learning(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    experiment, factors = blocks("toml")
    (tmp_path / "coupon.toml").write_text(experiment, "utf-8")
    (tmp_path / "factors.toml").write_text(
        re.sub(r"\[\[variants\]\].*", "", experiment, flags=re.S) + factors, "utf-8"
    )
    app, _shop = open_shop(tmp_path / "shop")
    ids = [f"c{n:05}" for n in range(2500)]
    now = datetime.now(UTC)
    visits_of(app, ids, (now - timedelta(days=40)).date())
    visits_of(app, ids, (now - timedelta(days=8)).date())
    orders_of(app, ids[:1250], (now - timedelta(days=9)).date())

    told = []
    for line in "".join(blocks("sh")).splitlines():
        if " show " in line:
            gives = Exposing(app.state, seed=7, global_holdout=0.0)
            given = {one: gives.given(one, now=datetime.now(UTC)) for one in ids}
            gives.close()
            got = [one for one, found in given.items() if found[0].variant.name == "coupon"]
            today = datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")).date()
            orders_of(app, got[::3], today, name="today")
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(line)[1:])
        assert not ended.value.code, line
        told.append(capsys.readouterr().out)

    assert len(read_definition(tmp_path / "factors.toml").variants) == 6
    assert "control 50%, coupon 50%" in told[0]
    assert re.search(r"customers \([\d,]+ control, [\d,]+ coupon\), \d+ days at 85 a day", told[1])
    assert "differs" in told[3]
    assert "coupon: adopt coupon; A coupon in the first week" in told[-1]
