"""What the maker sells: cabling and network products, in lines with a role in the portfolio."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from catalog.models import Product, ProductLine
from core.periods import add_months

# code, name, parent, role, and for lines with products the weight in an average partner's purchases
LINES: tuple[tuple[str, str, str, str, int], ...] = (
    ("CAB", "网线", "", "", 0),
    ("C5E", "超五类网线", "CAB", "attack", 20),
    ("C6", "六类网线", "CAB", "standard", 22),
    ("C6A", "超六类网线", "CAB", "focus", 8),
    ("C7", "七类与八类网线", "CAB", "focus", 3),
    ("FIB", "光纤光缆", "", "focus", 0),
    ("FIN", "室内光缆", "FIB", "", 8),
    ("FOUT", "室外光缆", "FIB", "", 7),
    ("FPAT", "光纤跳线与尾纤", "FIB", "", 3),
    ("MON", "监控线", "", "defensive", 10),
    ("GBP", "国标工程线", "", "standard", 9),
    ("ACC", "配件", "", "defensive", 0),
    ("MOD", "模块与水晶头", "ACC", "", 6),
    ("PAN", "面板与配线架", "ACC", "", 4),
    ("CAS", "机柜", "ACC", "", 3),
    ("SWI", "交换机", "", "", 0),
    ("SWA", "接入交换机", "SWI", "standard", 8),
    ("SWP", "PoE 交换机", "SWI", "focus", 7),
    ("WLS", "无线接入点", "", "attack", 5),
)

# line: (unit, category, ((name, list price), …))
RANGE: dict[str, tuple[str, str, tuple[tuple[str, str], ...]]] = {
    "C5E": ("箱", "铜缆", (
        ("超五类非屏蔽网线 0.50 线芯 305 米", "418"), ("超五类非屏蔽网线 0.45 线芯 305 米", "338"),
        ("超五类屏蔽网线 305 米", "536"), ("超五类室外防水网线 305 米", "498"),
        ("超五类扁平跳线 3 米（50 根）", "260"), ("超五类成品跳线 1 米（100 根）", "320"))),
    "C6": ("箱", "铜缆", (
        ("六类非屏蔽网线 0.56 线芯 305 米", "728"), ("六类非屏蔽网线 0.53 线芯 305 米", "656"),
        ("六类屏蔽网线 305 米", "918"), ("六类低烟无卤网线 305 米", "836"),
        ("六类室外防水网线 305 米", "864"), ("六类成品跳线 2 米（50 根）", "380"))),
    "C6A": ("箱", "铜缆", (
        ("超六类非屏蔽网线 305 米", "1180"), ("超六类屏蔽网线 305 米", "1390"),
        ("超六类低烟无卤网线 305 米", "1290"), ("超六类成品跳线 2 米（50 根）", "560"))),
    "C7": ("箱", "铜缆", (
        ("七类双屏蔽网线 305 米", "1880"), ("八类双屏蔽网线 100 米", "1460"),
        ("七类成品跳线 2 米（20 根）", "420"))),
    "FIN": ("盘", "光缆", (
        ("室内单模软光缆 4 芯 500 米", "1260"), ("室内单模软光缆 8 芯 500 米", "1840"),
        ("室内万兆多模光缆 4 芯 500 米", "2180"), ("皮线光缆 1 芯 1000 米", "520"),
        ("皮线光缆 2 芯 1000 米", "640"))),
    "FOUT": ("盘", "光缆", (
        ("室外中心束管光缆 4 芯 1000 米", "1980"), ("室外层绞光缆 12 芯 1000 米", "3260"),
        ("室外层绞光缆 24 芯 1000 米", "4480"), ("自承式架空光缆 12 芯 1000 米", "3980"))),
    "FPAT": ("盒", "光缆", (
        ("单模跳线 3 米（20 根）", "180"), ("多模跳线 3 米（20 根）", "240"),
        ("单模尾纤 1.5 米（48 根）", "150"), ("光纤熔接盒 12 口", "96"))),
    "MON": ("箱", "监控线", (
        ("监控综合线 75-5 带电源 200 米", "486"), ("监控综合线 75-3 带电源 200 米", "392"),
        ("网络监控一体线 4+2 芯 305 米", "756"), ("电源护套线 2×1.0 200 米", "428"),
        ("信号屏蔽线 4×0.5 200 米", "398"))),
    "GBP": ("箱", "工程线", (
        ("国标超五类工程网线 305 米", "468"), ("国标六类工程网线 305 米", "798"),
        ("国标六类屏蔽工程网线 305 米", "968"), ("国标电源工程线 2×1.5 100 米", "336"))),
    "MOD": ("盒", "配件", (
        ("超五类水晶头（100 只）", "58"), ("六类水晶头（100 只）", "98"),
        ("超五类免打模块（10 只）", "128"), ("六类免打模块（10 只）", "186"),
        ("超六类屏蔽模块（10 只）", "360"))),
    "PAN": ("只", "配件", (
        ("双口信息面板（20 只）", "116"), ("24 口六类配线架", "268"), ("24 口超六类配线架", "468"),
        ("24 口光纤配线架", "386"), ("理线架（5 只）", "145"))),
    "CAS": ("台", "配件", (
        ("壁挂机柜 6U", "268"), ("壁挂机柜 12U", "398"), ("服务器机柜 42U", "1980"),
        ("户外防水箱", "326"))),
    "SWA": ("台", "网络设备", (
        ("5 口百兆交换机", "49"), ("8 口千兆交换机", "139"), ("16 口千兆交换机", "298"),
        ("24 口千兆交换机", "459"), ("24 口千兆网管交换机", "1180"),
        ("48 口千兆网管交换机", "2180"))),
    "SWP": ("台", "网络设备", (
        ("5 口 PoE 交换机", "158"), ("8 口 PoE 交换机", "268"),
        ("16 口 PoE 交换机", "568"), ("24 口 PoE 交换机", "860"),
        ("24 口 PoE 网管交换机", "1960"),
        ("工业级 8 口 PoE 交换机", "1280"))),
    "WLS": ("台", "网络设备", (
        ("吸顶式双频无线接入点", "238"), ("面板式双频无线接入点", "188"),
        ("室外大功率无线接入点", "568"), ("电梯专用无线网桥（对）", "298"),
        ("无线控制器", "1380"))),
}  # fmt: skip
_NEW = {("C7", 2): 20, ("SWP", 6): 14, ("WLS", 1): 26}  # (line, number): months after the start
_ENDED = {("C5E", 5): 18, ("SWA", 1): 24}


class Article(NamedTuple):
    """A product as the sales need it: half-open dates, list price."""

    code: str
    line: str
    price: Decimal
    active_from: date
    active_to: date | None


def articles(start: date) -> list[Article]:
    """All products of a network whose sales begin at `start`."""
    found = []
    for line, (_unit, _category, range_) in RANGE.items():
        for number, (_name, price) in enumerate(range_, start=1):
            begin = add_months(start, _NEW.get((line, number), -24))
            ended = _ENDED.get((line, number))
            end = add_months(start, ended) if ended else None
            found.append(Article(f"{line}-{number:02d}", line, Decimal(price), begin, end))
    return found


def make_products(start: date) -> dict[str, int]:
    """Create product lines and products. Returns {product code: key}."""
    lines: dict[str, ProductLine] = {}
    for code, name, parent, role, _weight in LINES:
        lines[code] = ProductLine(code=code, name=name, role=role, parent=lines.get(parent))
        lines[code].save()
    made = Product.objects.bulk_create(_product(article, lines) for article in articles(start))
    return {product.code: product.pk for product in made}


def _product(article: Article, lines: dict[str, ProductLine]) -> Product:
    unit, category, range_ = RANGE[article.line]
    fields: dict[str, Any] = {"unit": unit, "category": category, "list_price": article.price}
    return Product(
        code=article.code,
        name=range_[int(article.code[-2:]) - 1][0],
        product_line=lines[article.line],
        active_from=article.active_from,
        active_to=article.active_to,
        **fields,
    )
