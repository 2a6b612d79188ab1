"""What a page without charts makes a browser load."""

import gzip
import re

from channel_crm.local import ROOT

BUDGET = 150 * 1024
CHARTS = {"vendor/echarts/echarts.min.js", "js/charts.js"}  # only where a page has a chart


def test_the_static_files_of_a_plain_page_stay_small():
    page = (ROOT / "templates" / "base.html").read_text()
    names = set(re.findall(r"""{% static ['"]([^'"]+\.(?:css|js))['"]""", page)) - CHARTS
    assert "vendor/tabler/tabler.min.css" in names
    sizes = {name: len(gzip.compress((ROOT / "static" / name).read_bytes())) for name in names}
    assert sum(sizes.values()) <= BUDGET, sizes


def test_no_copied_file_names_a_map_that_is_not_there():
    for path in (ROOT / "static" / "vendor").rglob("*.min.*"):
        assert b"sourceMappingURL" not in path.read_bytes(), path
