"""Answers: the last one within the window counts, all are kept, low ones open a task once."""

from datetime import timedelta

import pytest
from deltalake import DeltaTable

from regulars.adapters.delta_lake import DeltaLake
from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import verify
from regulars.reach.surveys.definition import survey_from
from regulars.reach.surveys.service import (
    answer,
    answers_of,
    close_task,
    list_surveys,
    put_survey,
    results,
    said,
    settle_answers,
    tasks,
)
from regulars.unify.tags.service import delete_tag, marks_of

ON_BOTH = True
NPS = {"id": "nps", "kind": "nps", "service_below": 7, "tags": {"promoter": "推荐者", "detractor": "贬损者"}}  # fmt: skip


@pytest.fixture
def asking(shop):
    return Asking(shop)


class Asking:
    def __init__(self, shop):
        self.shop, self.state, self.at = shop, shop.state, shop.turn().now
        self.keeps()

    def keeps(self, **changes):
        survey = survey_from(NPS | changes, "test")
        return put_survey(self.state, survey, actor="test", now=self.at)

    def answers(self, score, comment="", *, customer="a", key="k", survey="nps", hours=1):
        return answer(
            self.state, (survey, customer, key), score, comment,
            locale="zh-CN", now=self.at + timedelta(hours=hours),
        )  # fmt: skip

    def rows(self):
        return self.shop.all(
            "select score, comment, is_last from survey_answers order by answer_id"
        )

    def tags(self, customer="a"):
        marks = marks_of(self.state, [customer], zone="Asia/Shanghai")
        return {name for name, (mark, _day) in marks.items() if mark == "given"}


def test_the_same_form_sent_twice_counts_once(asking):
    asking.answers(9, "好")
    asking.answers(9, "好", hours=2)

    assert asking.rows() == [{"score": 9, "comment": "好", "is_last": 1}]
    assert results(asking.state, "nps").score.answers == 1


def test_another_answer_within_the_window_replaces_the_first_which_is_kept(asking):
    asking.answers(3)
    found = asking.answers(10, "解决了", hours=5)

    assert (found.score, found.answers, found.is_open) == (10, 2, True)
    assert [(row["score"], row["is_last"]) for row in asking.rows()] == [(3, 0), (10, 1)]
    assert results(asking.state, "nps").count_by_score[10] == 1
    assert results(asking.state, "nps").count_by_score[3] == 0


def test_after_the_window_the_answer_stands(asking):
    asking.answers(3, hours=1)
    late = asking.answers(10, hours=26)

    assert (late.score, late.is_open) == (3, False)
    assert len(asking.rows()) == 1


def test_a_closed_survey_takes_nothing(asking):
    asking.keeps(closes_at="2026-03-02T11:00:00+08:00")

    assert asking.answers(9, hours=2).score is None
    assert said(asking.state, "nps", "a", "k", now=asking.at).is_open


def test_two_invitations_of_one_customer_are_two_answers(asking):
    asking.answers(9, key="k1")
    asking.answers(2, key="k2")

    assert results(asking.state, "nps").score.answers == 2
    assert sorted(row["score"] for row in answers_of(asking.state, "a")) == [2, 9]


def test_a_low_score_opens_one_task_and_a_person_closes_it(asking):
    asking.answers(4, "等太久")
    asking.answers(5, "等太久", hours=2)
    asking.answers(9, customer="b")

    [one] = tasks(asking.state)
    assert (one.customer_id, one.score, one.comment) == ("a", 5, "等太久")
    with pytest.raises(InputError, match="note"):
        close_task(asking.state, one.task_id, " ", actor="ann", now=asking.at)
    done = close_task(asking.state, one.task_id, "已致电道歉", actor="ann", now=asking.at)

    assert (done.closed_by, tasks(asking.state)) == ("ann", [])
    with pytest.raises(InputError, match="closed by ann already"):
        close_task(asking.state, one.task_id, "再关", actor="bob", now=asking.at)
    with pytest.raises(UnknownName):
        close_task(asking.state, "none", "x", actor="ann", now=asking.at)
    assert len(tasks(asking.state, closed_too=True)) == 1


def test_opening_and_closing_a_task_stand_in_the_audit_log(asking):
    asking.answers(4, "投诉内容")
    [one] = tasks(asking.state)
    close_task(asking.state, one.task_id, "好", actor="ann", now=asking.at)

    entries = asking.shop.all("select action, detail from audit_log")
    actions = [entry["action"] for entry in entries]
    assert actions.count("service_task.open") == actions.count("service_task.close") == 1
    assert not any("投诉" in str(entry) for entry in entries)
    assert verify(asking.state, folder=asking.shop.folder).fault is None


def test_the_answer_becomes_a_tag_of_the_customer_and_changes_with_it(asking):
    asking.answers(2)
    assert asking.tags() == {"贬损者"}
    asking.answers(10, hours=2)
    assert asking.tags() == {"推荐者"}
    asking.answers(8, hours=3)
    assert asking.tags() == set()


def test_an_answer_stands_although_its_tag_was_deleted(asking):
    delete_tag(asking.state, "推荐者", actor="ann", now=asking.at)

    assert asking.answers(10).score == 10


@pytest.mark.parametrize("score", [-1, 11, 99])
def test_a_score_nobody_could_choose_is_refused(asking, score):
    with pytest.raises(InputError, match="from 0 to 10"):
        asking.answers(score)
    assert asking.rows() == []


def test_answers_become_facts_once_and_only_when_they_can_no_longer_change(asking, tmp_path, monkeypatch):  # fmt: skip
    lake = DeltaLake(tmp_path / "lake")
    asking.answers(3, "慢", hours=0)
    asking.answers(9, hours=1)
    asking.answers(7, customer="b", hours=20)

    def facts():
        path = str(lake._path("survey_answers"))
        if not DeltaTable.is_deltatable(path):
            return []
        rows = DeltaTable(path).to_pyarrow_table().to_pylist()
        return sorted((r["customer_id"], r["question"], r["answer"], r["score"]) for r in rows)

    assert settle_answers(asking.state, lake, now=asking.at + timedelta(hours=23)) == 0

    class Killed(Exception):
        pass

    append = DeltaLake.append

    def dies(self, *args, **options):
        append(self, *args, **options)
        raise Killed

    monkeypatch.setattr(DeltaLake, "append", dies)
    with pytest.raises(Killed):
        settle_answers(asking.state, lake, now=asking.at + timedelta(hours=24))
    monkeypatch.setattr(DeltaLake, "append", append)
    settle_answers(asking.state, lake, now=asking.at + timedelta(hours=24))
    assert facts() == [("a", "score", "9", 9.0)]

    settle_answers(asking.state, lake, now=asking.at + timedelta(hours=48))
    assert facts() == [("a", "score", "9", 9.0), ("b", "score", "7", 7.0)]


def test_versions_of_a_survey_are_kept_and_its_kind_stays(asking):
    assert asking.keeps().version == 1
    assert asking.keeps(service_below=5).version == 2
    with pytest.raises(InputError, match="another id"):
        asking.keeps(kind="csat", tags={})
    assert [(s.id, s.version) for s in list_surveys(asking.state)] == [("nps", 2)]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"id": "A b"}, "id is"),
        ({"kind": "ces"}, "must be nps or csat"),
        ({"window_hours": 0}, "window_hours"),
        ({"service_below": "7"}, "service_below"),
        ({"tags": {"lover": "x"}}, "give the name of a tag"),
        ({"locales": {"en": {"title": "x"}}}, "known: comment, question, thanks"),
        ({"closes_at": "tomorrow"}, "closes_at"),
        ({"closes_at": "2026-03-02T11:00:00"}, "without a zone"),
        ({"colour": "red"}, "known: "),
    ],
)
def test_a_survey_that_cannot_be_used_is_refused_with_what_is_wanted(asking, changes, says):
    with pytest.raises(InputError, match=says):
        asking.keeps(**changes)


def test_counting_every_answer_is_caught(asking):
    """Planted: a count that forgets that the last answer replaces the one before."""
    asking.answers(0)
    asking.answers(10, hours=2)

    planted = asking.shop.all("select avg(score) as mean from survey_answers")[0]["mean"]
    assert results(asking.state, "nps").score.value == 1.0
    assert planted == 5.0
