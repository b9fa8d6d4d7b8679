"""Surveys at work: asked by signed links, answered, counted, and made facts."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import record
from regulars.ports.lake import Lake
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.surveys.definition import GROUPS, SCORES, Kind, Survey, Words
from regulars.reach.surveys.recommending import Score, net_promoter_score
from regulars.reach.surveys.satisfaction import satisfied_share
from regulars.unify.tags.definitions import Tag, TagKind
from regulars.unify.tags.service import find_tag, give, keep_tag, remove

ACTOR = "surveys"
FACTS = "survey_answers"
MOST_COMMENT = 2_000
MOST_ROWS = 200
_SQL = Queries(__package__)


@dataclass(frozen=True)
class Said:
    """What somebody answered.

    Attributes:
        survey: The survey, in the version it was asked in.
        respondent_id: Stands for one invitation: hash of survey, customer and contact.
        score: The score in force; None before the first answer.
        comment: The comment in force.
        is_open: True while an answer may still be given or changed.
        answers: Answers given so far, each kept.
    """

    survey: Survey
    respondent_id: str
    score: int | None
    comment: str
    is_open: bool
    answers: int


@dataclass(frozen=True)
class Task:
    """Somebody gave a low score: a person is to look into it and close the task.

    Attributes:
        task_id: Its name.
        survey_id: The survey.
        customer_id: Who answered.
        score: What they gave.
        comment: What they said.
        opened_at: When, ISO 8601.
        closed_at: When somebody closed it; None while it is open.
        closed_by: Who closed it.
        note: What was done.
    """

    task_id: str
    survey_id: str
    customer_id: str
    score: int
    comment: str
    opened_at: str
    closed_at: str | None
    closed_by: str | None
    note: str | None


@dataclass(frozen=True)
class Results:
    """What a survey found.

    Attributes:
        survey: The survey.
        score: NPS from -1 to 1, or share of satisfied answers from 0 to 1, with its interval.
        count_by_score: Answers by score; every score has an entry.
        count_by_group: Answers by group, such as promoter.
        comments: The newest comments, with score, moment and customer.
    """

    survey: Survey
    score: Score
    count_by_score: dict[int, int]
    count_by_group: dict[str, int]
    comments: list[dict[str, Any]]


def put_survey(state: State, survey: Survey, *, actor: str, now: datetime) -> Survey:
    """Keep a survey; the same again is no new version.

    Args:
        state: The workspace's state.
        survey: The survey, checked; its version is given here.
        actor: Who keeps it, for the audit log.
        now: The moment, aware.

    Returns:
        The survey with its version.

    Raises:
        InputError: `closes_at` is no moment, or the kind differs from the one it has.
    """
    _closing(survey)
    body = json.dumps(_body(survey), ensure_ascii=False, sort_keys=True)
    with state.transaction() as opened:
        rows = opened.all(_SQL["newest"], survey_id=survey.id)
        if rows and rows[0]["body"] == body:
            return _survey(rows[0])
        if rows and _survey(rows[0]).kind is not survey.kind:
            raise InputError(
                f"survey {survey.id} asks for {_survey(rows[0]).kind.value}; answers of another "
                "kind cannot be counted with its own: give the new one another id"
            )
        made = replace(survey, version=rows[0]["version"] + 1 if rows else 1)
        values = {"survey_id": made.id, "version": made.version, "at": _text(now), "actor": actor}
        opened.run(_SQL["keep"], **values, body=body)
        detail = {"version": made.version}
        record(opened, actor=actor, action="survey.keep", subject=made.id, detail=detail, at=now)
    _make_tags(state, made, actor=actor, now=now)
    return made


def find_survey(state: State, survey_id: str) -> Survey:
    """Give the newest version of a survey.

    Returns:
        The survey.

    Raises:
        UnknownName: There is no such survey.
    """
    with state.reading() as opened:
        return _known(opened, survey_id)


def list_surveys(state: State) -> list[Survey]:
    """Give the newest version of every survey, by id."""
    with state.reading() as opened:
        return [_survey(row) for row in opened.all(_SQL["list"])]


def respondent_of(survey_id: str, customer_id: str, key: str) -> str:
    """Name one invitation: whoever follows the same link answers once.

    Returns:
        32 hexadecimal digits that tell nothing of the customer.
    """
    text = "\x1f".join((survey_id, customer_id, key))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def said(state: State, survey_id: str, customer_id: str, key: str, *, now: datetime) -> Said:
    """Tell what was answered by one link so far.

    Returns:
        The survey and the answer in force.

    Raises:
        UnknownName: There is no such survey.
    """
    respondent = respondent_of(survey_id, customer_id, key)
    with state.reading() as opened:
        survey = _known(opened, survey_id)
        rows = opened.all(_SQL["answers_of"], survey_id=survey_id, respondent_id=respondent)
    return _said(survey, respondent, rows, now)


def answer(
    state: State,
    invitation: tuple[str, str, str],
    score: int,
    comment: str = "",
    *,
    locale: str,
    now: datetime,
) -> Said:
    """Take an answer in; the last one within the window counts, every one is kept.

    The same answer again changes nothing, so that a form sent twice counts once.

    Args:
        state: The workspace's state.
        invitation: Survey, customer and key of the contact, as the link says.
        score: What was chosen.
        comment: What was said beside it; cut to 2,000 letters.
        locale: Language it was asked in.
        now: The moment, aware.

    Returns:
        What stands now; with `is_open` False and the old answer when it came too late.

    Raises:
        UnknownName: There is no such survey.
        InputError: The score is not one of those that can be chosen.
    """
    survey_id, customer_id, key = invitation
    respondent, comment = respondent_of(*invitation), comment.strip()[:MOST_COMMENT]
    with state.transaction() as opened:
        survey = _known(opened, survey_id)
        if score not in SCORES[survey.kind]:
            lowest, highest = SCORES[survey.kind][0], SCORES[survey.kind][-1]
            raise InputError(f"the score is {score!r}, must be from {lowest} to {highest}")
        named = {"survey_id": survey_id, "respondent_id": respondent}
        rows = opened.all(_SQL["answers_of"], **named)
        before = _said(survey, respondent, rows, now)
        if not before.is_open or (before.score, before.comment) == (score, comment):
            return before
        about = {**named, "customer_id": customer_id, "score": score, "comment": comment}
        opened.run(_SQL["replace"], **named)
        opened.run(
            _SQL["answer"],
            **about,
            answer_id=f"{respondent}{len(rows):04d}",
            version=survey.version,
            locale=locale,
            at=_text(now),
        )
        if score < survey.service_below:
            _open_task(opened, about, now)
        rows = opened.all(_SQL["answers_of"], **named)
    _tag(state, survey, customer_id, score, now=now)
    return _said(survey, respondent, rows, now)


def results(state: State, survey_id: str, *, level: float = 0.95) -> Results:
    """Count what a survey found, each respondent's last answer once.

    Args:
        state: The workspace's state.
        survey_id: The survey.
        level: Coverage of the interval.

    Returns:
        The results; a score of nan before the first answer.

    Raises:
        UnknownName: There is no such survey.
    """
    with state.reading() as opened:
        survey = _known(opened, survey_id)
        rows = opened.all(_SQL["counts"], survey_id=survey_id)
        comments = opened.all(_SQL["comments"], survey_id=survey_id, most=MOST_ROWS)
    counts = dict.fromkeys(SCORES[survey.kind], 0) | {r["score"]: r["answers"] for r in rows}
    computed = net_promoter_score if survey.kind is Kind.NPS else satisfied_share
    groups = {
        name: sum(counts[score] for score in scores) for name, scores in GROUPS[survey.kind].items()
    }
    return Results(survey, computed(counts, level=level), counts, groups, comments)


def answers_of(state: State, customer_id: str) -> list[dict[str, Any]]:
    """Give what a customer answered last in each survey, the newest first."""
    with state.reading() as opened:
        return opened.all(_SQL["of_customer"], customer_id=customer_id)


def tasks(state: State, *, closed_too: bool = False) -> list[Task]:
    """Give the tasks of customer service, the newest first."""
    with state.reading() as opened:
        rows = opened.all(_SQL["tasks"], everything=int(closed_too), most=MOST_ROWS)
    return [_task(row) for row in rows]


def close_task(state: State, task_id: str, note: str, *, actor: str, now: datetime) -> Task:
    """Close a task, with what was done.

    Args:
        state: The workspace's state.
        task_id: The task.
        note: What was done, in the actor's words.
        actor: Who closes it, for the audit log.
        now: The moment, aware.

    Returns:
        The task.

    Raises:
        UnknownName: There is no such task.
        InputError: It is closed already, or nothing is said of what was done.
    """
    if not note.strip():
        raise InputError("the note is empty; say what was done for the customer")
    with state.transaction() as opened:
        rows = opened.all(_SQL["task"], task_id=task_id)
        if not rows:
            raise UnknownName("service task", task_id, [])
        done = {"task_id": task_id, "at": _text(now), "actor": actor, "note": note.strip()}
        if not opened.run(_SQL["close_task"], **done):
            raise InputError(f"task {task_id} was closed by {rows[0]['closed_by']} already")
        detail = {"survey": rows[0]["survey_id"]}
        record(
            opened, actor=actor, action="service_task.close", subject=task_id, detail=detail, at=now
        )
        return _task(opened.all(_SQL["task"], task_id=task_id)[0])


def settle_answers(state: State, lake: Lake, *, now: datetime) -> int:
    """Make facts of answers that can no longer change.

    Killed anywhere and called again it adds no fact twice: a batch is numbered before it is
    written, and the lake takes a number once.

    Args:
        state: The workspace's state.
        lake: Takes rows of table `survey_answers`.
        now: The moment, aware.

    Returns:
        Facts written.
    """
    written = _publish(state, lake)
    with state.transaction() as opened:
        ripe = []
        for row in opened.all(_SQL["unsettled"]):
            window = timedelta(hours=_known(opened, row["survey_id"]).window_hours)
            if datetime.fromisoformat(row["first_at"]) + window <= now:
                ripe.append(row["answer_id"])
        [last] = opened.all(_SQL["batch"])
        batch = last["batch"] + 1
        opened.many(_SQL["settle"], [{"answer_id": one, "batch": batch} for one in ripe])
    return written + _publish(state, lake)


def _publish(state: State, lake: Lake) -> int:
    """Write the batches that were numbered and not yet written, in order."""
    with state.reading() as opened:
        [last] = opened.all(_SQL["batch"])
        done = opened.all(_SQL["last_settled"])
    written = 0
    for batch in range(int(done[0]["value"]) + 1 if done else 1, last["batch"] + 1):
        with state.reading() as opened:
            rows = opened.all(_SQL["of_batch"], batch=batch)
        facts = [fact for row in rows for fact in _facts(row)]
        data = pa.Table.from_pylist(facts, schema=lake.schema(FACTS))
        if lake.append(FACTS, data, application=ACTOR, version=batch):
            written += len(facts)
        with state.transaction() as opened:
            opened.run(_SQL["move_settled"], value=str(batch))
    return written


def _facts(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    about = {
        "survey_id": row["survey_id"],
        "respondent_id": row["respondent_id"],
        "customer_id": row["customer_id"] or None,
        "answered_at": datetime.fromisoformat(row["at"]),
    }
    score = {"question": "score", "answer": str(row["score"]), "score": float(row["score"])}
    found = [about | score]
    if row["comment"]:
        found.append(about | {"question": "comment", "answer": row["comment"], "score": None})
    return found


def _open_task(opened: Transaction, about: Mapping[str, Any], now: datetime) -> None:
    task_id = f"survey-{about['respondent_id'][:12]}"
    is_new = not opened.all(_SQL["task"], task_id=task_id)
    opened.run(_SQL["open_task"], **about, task_id=task_id, opened_at=_text(now))
    if is_new:
        detail = {"survey": about["survey_id"], "score": about["score"]}
        record(
            opened, actor=ACTOR, action="service_task.open", subject=task_id, detail=detail, at=now
        )


def _make_tags(state: State, survey: Survey, *, actor: str, now: datetime) -> None:
    """Make the tags a survey gives, where there are none of that name."""
    for group, name in survey.tags.items():
        try:
            find_tag(state, name)
        except UnknownName:
            says = f"{group} in survey {survey.id}"
            keep_tag(state, Tag(name, TagKind.MANUAL, {}, says), actor=actor, now=now)


def _tag(state: State, survey: Survey, customer_id: str, score: int, *, now: datetime) -> None:
    """Give the tag of the answer's group, and take those of the others."""
    mine = survey.tags.get(survey.group(score))
    for name in sorted(set(survey.tags.values())):
        does = give if name == mine else remove
        with suppress(UnknownName):  # somebody deleted the tag; the answer stands
            does(state, name, [customer_id], actor=ACTOR, now=now)


def _said(survey: Survey, respondent: str, rows: list[dict[str, Any]], now: datetime) -> Said:
    last = rows[-1] if rows else None
    closing = _closing(survey)
    is_open = closing is None or now < closing
    if rows:
        first = datetime.fromisoformat(rows[0]["at"])
        is_open = is_open and now < first + timedelta(hours=survey.window_hours)
    return Said(
        survey,
        respondent,
        last["score"] if last else None,
        last["comment"] if last else "",
        is_open,
        len(rows),
    )


def _closing(survey: Survey) -> datetime | None:
    if not survey.closes_at:
        return None
    try:
        moment = datetime.fromisoformat(survey.closes_at)
    except ValueError as error:
        raise InputError(
            f"closes_at is {survey.closes_at!r}, must be a moment such as 2026-12-31T23:59:59+08:00"
        ) from error
    if moment.tzinfo is None:
        raise InputError(f"closes_at is {survey.closes_at!r} without a zone; add one, as +08:00")
    return moment


def _known(opened: Transaction, survey_id: str) -> Survey:
    rows = opened.all(_SQL["newest"], survey_id=survey_id)
    if not rows:
        known = [row["survey_id"] for row in opened.all(_SQL["list"])]
        raise UnknownName("survey", survey_id, known)
    return _survey(rows[0])


def _body(survey: Survey) -> dict[str, Any]:
    found = asdict(survey)
    del found["version"]
    return found


def _survey(row: Mapping[str, Any]) -> Survey:
    body = json.loads(row["body"])
    body["kind"] = Kind(body["kind"])
    body["words"] = {locale: Words(**one) for locale, one in body["words"].items()}
    return Survey(**body, version=row["version"])


def _task(row: Mapping[str, Any]) -> Task:
    return Task(**{name: row[name] for name in Task.__dataclass_fields__})


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
