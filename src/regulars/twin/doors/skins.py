"""Skins: the names, places and money the same twin wears in one country or another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.errors import UnknownName
from regulars.numerics.hashing import uniforms

Keys = NDArray[np.uint64]
Words = NDArray[np.str_]


@dataclass(frozen=True)
class Skin:
    """What a twin wears.

    Attributes:
        name: zh or us.
        retailer: Name of the grocer.
        currency: ISO 4217 code.
        zone: IANA zone of every shop.
        locale: Language of reports.
        channels: Channel names, in the order of the twin's channels.
        offer_names: How marketers call the offers, as formats, in the order of the twin's offers:
            `percent` and `brand` are shares taken off, `percent_left` and `brand_left` tenths of
            the price that are left, `money` and `least` money.
        networks: First digits of mobile numbers, with spaces between; so the next three.
        cities: Cities, each with a shop, the largest first.
        surnames: Family names, the commonest first.
        given: Given names.
    """

    name: str
    retailer: str
    currency: str
    zone: str
    locale: str
    channels: tuple[str, ...]
    offer_names: tuple[str, ...]
    networks: str
    cities: str
    surnames: str
    given: str

    @property
    def towns(self) -> list[str]:
        """The cities, one by one."""
        return self.cities.split()


SKINS = {
    "zh": Skin(
        name="zh",
        retailer="家家鲜超市",
        currency="CNY",
        zone="Asia/Shanghai",
        locale="zh-CN",
        channels=("sms", "app", "wechat"),
        offer_names=(
            "本周新品",
            "全单{percent_left:g}折",
            "满{least:g}减{money:g}",
            "自有品牌{brand_left:g}折",
        ),
        networks="130 135 138 139 150 158 176 186 188 199",
        cities="上海 杭州 南京 苏州 宁波 合肥 无锡 绍兴",
        surnames="王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 林 高 罗",
        given=(
            "伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 秀英 桂兰 建国 子涵 雨桐 "
            "浩然 梓萱 欣怡 宇轩 思远 佳琪 晓东 海燕"
        ),
    ),
    "us": Skin(
        name="us",
        retailer="Corner Grocer",
        currency="USD",
        zone="America/New_York",
        locale="en",
        channels=("sms", "app", "email"),
        offer_names=(
            "What is new this week",
            "{percent:.0%} off one order",
            "{money:g} off from {least:g}",
            "{brand:.0%} off our own brands",
        ),
        networks="220 234 330 380 419 440 513 567 614 740 937",
        cities="Columbus Dayton Toledo Akron Canton Mansfield Lima Athens",
        surnames=(
            "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez "
            "Lopez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee"
        ),
        given=(
            "Mary James Patricia Robert Jennifer John Linda Michael Elizabeth David Barbara "
            "William Susan Richard Jessica Joseph Sarah Thomas Karen Charles Ana Luis Mei Omar "
            "Priya Noah Emma Liam Olivia Ava"
        ),
    ),
}


def skin_named(name: str) -> Skin:
    """Find a skin.

    Returns:
        The skin.

    Raises:
        UnknownName: There is no such skin.
    """
    if name not in SKINS:
        raise UnknownName("skin", name, SKINS)
    return SKINS[name]


def _pick(text: str, draw: NDArray[np.float64]) -> Words:
    words = np.array(text.split())
    return words[(draw * len(words)).astype(np.int64)]


def home_shop(skin: Skin, keys: Keys) -> NDArray[np.int64]:
    """Give each customer the row of the shop in his city; the first cities are the largest."""
    draw = uniforms(keys, "skin", "city") ** 1.5
    return (draw * len(skin.towns)).astype(np.int64)


def identities(skin: Skin, keys: Keys) -> dict[str, Words]:
    """Invent who the customers are: nobody real.

    Args:
        skin: What the twin wears.
        keys: Keys of the customers.

    Returns:
        name, phone, email, wechat_id (zh only, else empty), city and gender, each of shape
        (customers,). Mobile numbers differ between nearly all customers.
    """
    surname = _pick(skin.surnames, uniforms(keys, "skin", "surname") ** 1.5)
    given = _pick(skin.given, uniforms(keys, "skin", "given"))
    number = (uniforms(keys, "skin", "phone") * 1e8).astype(np.int64)
    code = [f"{value:08d}" for value in number.tolist()]
    hexed = [f"{key:016x}" for key in keys.tolist()]
    starts = _pick(skin.networks, uniforms(keys, "skin", "network")).tolist()
    if skin.name == "zh":
        name = np.char.add(surname, given)
        phone = [f"+86 {at} {rest[:4]} {rest[4:]}" for at, rest in zip(starts, code, strict=True)]
        wechat = [f"wx_{text}" for text in hexed]
    else:
        name = np.char.add(np.char.add(given, " "), surname)
        phone = [f"+1 {at} {rest[1:4]} {rest[4:]}" for at, rest in zip(starts, code, strict=True)]
        wechat = [""] * len(keys)
    return {
        "name": name,
        "phone": np.array(phone),
        "email": np.array([f"c{text[:10]}@example.com" for text in hexed]),
        "wechat_id": np.array(wechat),
        "city": np.array(skin.towns)[home_shop(skin, keys)],
        "gender": np.where(uniforms(keys, "skin", "gender") < 0.55, "female", "male"),
    }
