"""What the pages make a browser load, and what is drawn into them."""

import gzip
import re

from django.conf import settings
from django.contrib.staticfiles import finders

from channel_crm.local import ROOT
from core.templatetags.icons import svg

BUDGET = 150 * 1024
CHARTS = {"vendor/echarts/echarts.min.js", "js/charts.js"}  # only where a page has a chart
FOLDERS = ("core", "accounts", "catalog", "partners", "sales", "performance", "insights")


def test_the_static_files_of_a_plain_page_stay_small():
    page = (ROOT / "templates" / "base.html").read_text()
    names = set(re.findall(r"""{% static ['"]([^'"]+\.(?:css|js))['"]""", page)) - CHARTS
    assert "vendor/tabler/tabler.min.css" in names
    sizes = {name: len(gzip.compress((ROOT / "static" / name).read_bytes())) for name in names}
    assert sum(sizes.values()) <= BUDGET, sizes


def test_no_copied_file_names_a_map_that_is_not_there():
    for path in (ROOT / "static" / "vendor").rglob("*.min.*"):
        assert b"sourceMappingURL" not in path.read_bytes(), path


def icons_named_outright() -> set[str]:
    """The icons that templates and Python name with a literal."""
    names = set()
    for path in (ROOT / "templates").rglob("*.html"):
        names |= set(re.findall(r"""{% icon ['"]([\w-]+)['"] %}""", path.read_text()))
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            names |= set(
                re.findall(r"""["']?\bicon["']?[=:] ?["']([\w-]+)["']""", path.read_text())
            )
    return names


def test_every_icon_that_is_named_is_there():
    names = icons_named_outright()
    assert "player-play" in names
    assert [
        name for name in sorted(names) if not (settings.ICONS_DIR / f"{name}.svg").exists()
    ] == []
    assert "<path" in svg("search")


def test_icons_are_drawn_and_not_served():
    served = [name for finder in finders.get_finders() for name, _storage in finder.list([])]
    assert [name for name in served if name.endswith("/player-play.svg")] == []
