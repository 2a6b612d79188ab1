"""Names and numbers that look right and belong to nobody.

Company names are coined pairs of syllables that do not go together in any company known to us.
Credit codes are valid by GB 32100, with an organisation code (GB 11714) that begins with DEM: the
registers give out digits or MA. Telephone numbers lie in the block 140, which is for machines, and
mail addresses in `.example`.
"""

from __future__ import annotations

import random

from partners.credit_code import check_character

_FIRST = "衡砚澜岑璟沐禾朗峤霁珩黎筠棠翎曜澈煦聿洵"
_SECOND = "络桥帆垣岸驿屿枢弦途陌野序衍塔缆榆笙阙舫"
_FAMILY = "陈林周吴郑王冯蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章云苏潘葛奚范彭郎"
_GIVEN = "安柏晨川德帆国海恒嘉建静娟凯兰磊立丽敏明宁平琪清蓉瑞珊涛婷伟文曦娴晓欣雅怡颖宇远哲志"

_TRADES = {
    "distributor": ["网络科技", "信息技术", "通信设备", "商贸"],
    "agent": ["网络科技", "科技发展", "通信器材"],
    "dealer": ["电子", "商贸", "通信器材", "布线技术", "数码科技"],
    "retailer": ["数码", "电脑商行", "电子商行"],
    "ecommerce": ["电子商务", "网络销售"],
    "integrator": ["系统集成", "智能工程", "弱电工程"],
}


def coined_words() -> list[str]:
    """Four hundred coined words, each of two syllables, in the order of the seed."""
    words = [first + second for first in _FIRST for second in _SECOND]
    random.Random("coined words").shuffle(words)
    return words


def company(place: str, word: str, channel_type: str, rng: random.Random) -> str:
    """The registered name of a company: 西安 + 衡络 + 商贸 + 有限公司."""
    return f"{place}{word}{rng.choice(_TRADES[channel_type])}有限公司"


def person(rng: random.Random) -> tuple[str, str]:
    """Family name and given name."""
    given = "".join(rng.sample(_GIVEN, 1 if rng.random() < 0.25 else 2))
    return rng.choice(_FAMILY), given


def phone(serial: int) -> str:
    """A number of eleven digits that reaches nobody."""
    return f"1400{serial:07d}"


def credit_code(division: str, serial: int) -> str:
    """A valid code of a company (91) registered in that division, marked as generated (DEM…)."""
    body = f"DEM{serial:05d}"
    first17 = f"91{division}{body}{_organisation_check(body)}"
    return first17 + check_character(first17)


def _organisation_check(body: str) -> str:
    """The check character of an organisation code: 11 − Σ Cᵢ·Wᵢ mod 11, by GB 11714."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    rest = 11 - sum(int(c, 36) * w for c, w in zip(body, weights, strict=True)) % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))
