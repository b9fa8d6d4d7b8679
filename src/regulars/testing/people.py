"""People of a Chinese city and the records shops keep of them, with the errors real ones have."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Words = NDArray[np.object_]
Numbers = NDArray[np.int64]

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余"
    "于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷"
    "龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常"
)  # fmt: skip
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建国文志海燕春梅林峰云飞鹏"
    "宇浩然子轩梓涵雨欣怡佳琪思远博雅晨曦诺一依若昊天泽瑞嘉俊豪雪婷倩慧颖琳莹璐瑶萍凤"
    "琴素珍荣贵福祥永康德庆生成才斌波辉亮健龙翔凯旋彬威振东南北山川江河湖星月阳光安宁"
    "乐和顺利达兴旺清源深邃朗润卓越恒毅诚信义仁礼智圣贤哲睿宏伯仲叔季元亨贞吉祺禄寿禧"
)  # fmt: skip
CITIES = (
    "北京", "上海", "广州", "深圳", "成都", "杭州", "重庆", "武汉", "西安", "苏州",
    "南京", "天津", "长沙", "郑州", "东莞", "青岛", "宁波", "昆明", "合肥", "佛山",
    "沈阳", "济南", "无锡", "厦门", "福州", "温州", "大连", "哈尔滨", "长春", "泉州",
    "石家庄", "南宁", "金华", "贵阳", "南昌", "常州", "嘉兴", "南通", "徐州", "太原",
)  # fmt: skip
ROADS = (
    "中山", "人民", "解放", "建设", "和平", "新华", "胜利", "文化", "友谊", "北京", "南京", "长江",
    "黄河", "朝阳", "光明", "青年", "滨江", "学府", "迎宾", "工业",
)  # fmt: skip
SIDES = ("路", "街", "大道", "东路", "西路", "南路", "北路", "中路", "一路", "二路")
MAILS = ("qq.com", "163.com", "126.com", "sina.com", "gmail.com", "outlook.com")


@dataclass(frozen=True)
class Errors:
    """How often a record says something else than the truth, as shares of records.

    Attributes:
        missing: Share left empty, by column.
        typed: Share with one letter, digit or character wrong, by column.
        changed: Share with another true value: an old number, a former address, by column.
    """

    missing: Mapping[str, float] = field(
        default_factory=lambda: {
            "phone": 0.08, "birth_date": 0.15, "email": 0.35, "address": 0.25, "gender": 0.1,
        }
    )  # fmt: skip
    typed: Mapping[str, float] = field(
        default_factory=lambda: {
            "name": 0.04, "phone": 0.02, "birth_date": 0.03, "email": 0.02, "address": 0.03,
        }
    )  # fmt: skip
    changed: Mapping[str, float] = field(
        default_factory=lambda: {"phone": 0.05, "email": 0.1, "address": 0.1}
    )


def make_records(records: int, *, seed: int, errors: Errors | None = None) -> pa.Table:
    """Draw records of people whose truth is known.

    Four in ten people have more than one record. People live in households that share an
    address, often a surname, and in one of three a phone number.

    Args:
        records: Number of records.
        seed: Root of every draw.
        errors: How often records err.

    Returns:
        One row per record in no order: `id`, `name`, `gender`, `birth_date`, `phone`, `email`,
        `city`, `address`, and `person`, the truth.
    """
    rng = np.random.default_rng(seed)
    errors = errors or Errors()
    copies = rng.choice([1, 2, 3, 4, 5], p=[0.6, 0.25, 0.1, 0.04, 0.01], size=records)
    people = int(np.searchsorted(np.cumsum(copies), records)) + 1
    truth = _people(people, rng)
    person = np.repeat(np.arange(people), copies[:people])[:records]
    person = person[rng.permutation(records)]
    columns = {name: values[person] for name, values in truth.items()}
    former = _people(records, rng)
    for name, share in errors.changed.items():
        swapped = rng.random(records) < share
        columns[name] = np.where(swapped, former[name], columns[name])
        if name == "address":
            columns["city"] = np.where(swapped, former["city"], columns["city"])
    for name, share in errors.typed.items():
        columns[name] = _typed(columns[name], rng.random(records) < share, name, rng)
    for name, share in errors.missing.items():
        columns[name][rng.random(records) < share] = None
    no_address = np.array([address is None for address in columns["address"]])
    columns["city"][no_address & (rng.random(records) < 0.5)] = None
    ids = [f"r{number:09d}" for number in range(records)]
    return pa.table(
        {"id": ids, **{name: pa.array(values, pa.string()) for name, values in columns.items()},
         "person": person}
    )  # fmt: skip


def _people(people: int, rng: np.random.Generator) -> dict[str, Words]:
    sizes = rng.choice([1, 2, 3, 4], p=[0.35, 0.3, 0.25, 0.1], size=people)
    home = np.repeat(np.arange(people), sizes)[:people]
    surnames = np.array(list(SURNAMES), dtype=object)
    weights = 1 / (np.arange(len(surnames)) + 6.0)
    family = rng.choice(len(surnames), size=people, p=weights / weights.sum())
    own = rng.choice(len(surnames), size=people, p=weights / weights.sum())
    surname = surnames[np.where(rng.random(people) < 0.6, family[home], own)]
    gender = rng.integers(0, 2, people)
    day = np.datetime64("1945-01-01") + rng.integers(0, 365 * 62, people)
    shared = rng.random(people) < 0.35
    phone = np.where(shared[home], _phones(people, rng)[home], _phones(people, rng))
    city, address = _addresses(people, rng)
    return {
        "name": surname + _given(people, rng),
        "gender": np.array(["男", "女"], dtype=object)[gender],
        "birth_date": np.datetime_as_string(day, unit="D").astype(object),
        "phone": phone,
        "email": _emails(people, rng),
        "city": city[home],
        "address": address[home],
    }


def _given(people: int, rng: np.random.Generator) -> Words:
    characters = np.array(list(dict.fromkeys(GIVEN)), dtype=object)
    weights = 1 / (np.arange(len(characters)) + 10.0)
    weights /= weights.sum()
    first = characters[rng.choice(len(characters), size=people, p=weights)]
    second = characters[rng.choice(len(characters), size=people, p=weights)]
    return np.asarray(np.where(rng.random(people) < 0.2, first, first + second))


def _phones(people: int, rng: np.random.Generator) -> Words:
    head = np.array(["13", "15", "17", "18", "19"], dtype=object)[rng.integers(0, 5, people)]
    return np.asarray(head + _digits(rng.integers(0, 10**9, people), 9))


def _digits(numbers: Numbers, width: int) -> Words:
    return np.char.zfill(numbers.astype(str), width).astype(object)


def _emails(people: int, rng: np.random.Generator) -> Words:
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"), dtype=object)
    word = letters[rng.integers(0, 26, people)]
    for _ in range(5):
        word += letters[rng.integers(0, 26, people)]
    local = np.where(
        rng.random(people) < 0.5,
        _digits(rng.integers(10**8, 10**10, people), 9),
        word + _digits(rng.integers(0, 10**4, people), 4),
    )
    return np.asarray(local + "@" + np.array(MAILS, dtype=object)[rng.integers(0, 6, people)])


def _addresses(homes: int, rng: np.random.Generator) -> tuple[Words, Words]:
    weights = 1 / (np.arange(len(CITIES)) + 4.0)
    city = np.array(CITIES, dtype=object)[
        rng.choice(len(CITIES), size=homes, p=weights / weights.sum())
    ]
    road = np.array([road + side for road in ROADS for side in SIDES], dtype=object)
    where = road[rng.integers(0, len(road), homes)]
    number, block = rng.integers(1, 400, homes), rng.integers(1, 31, homes)
    flat = rng.integers(1, 33, homes) * 100 + rng.integers(1, 5, homes)
    parts = [part.astype(str).astype(object) for part in (number, block, flat)]
    return city, np.asarray(
        city + "市" + where + parts[0] + "号" + parts[1] + "栋" + parts[2] + "室"
    )


def _typed(values: Words, wrong: NDArray[np.bool_], name: str, rng: np.random.Generator) -> Words:
    found = values.copy()
    draws = rng.random((int(wrong.sum()), 3))
    for place, (where, kind, what) in zip(np.flatnonzero(wrong), draws, strict=True):
        text = str(values[place])
        found[place] = (
            _date_error(text, kind, what)
            if name == "birth_date"
            else _slip(text, where, kind, what, from_digits=name == "phone")
        )
    return found


def _date_error(text: str, kind: float, what: float) -> str:
    year, month, day = text.split("-")
    if kind < 0.3 and int(day) <= 12:
        return f"{year}-{day}-{month}"
    if kind < 0.5:
        return f"{year}-01-01"
    digit = 3 if kind < 0.75 else 9
    return text[:digit] + str(int(what * 10)) + text[digit + 1 :]


def _slip(text: str, where: float, kind: float, what: float, *, from_digits: bool) -> str:
    place = int(where * len(text))
    if kind < 0.3 and len(text) > 2:
        return text[:place] + text[place + 1 :]
    if kind < 0.5 and place + 1 < len(text):
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    letters = "0123456789" if from_digits or text[place].isdigit() else GIVEN
    if text[place].isascii() and text[place].isalpha():
        letters = "abcdefghijklmnopqrstuvwxyz"
    return text[:place] + letters[int(what * len(letters))] + text[place + 1 :]
