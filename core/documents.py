"""Documents: a Typst template and plain values become a PDF.

The letters come from the package noto-cjk-sans-otc, so that a machine with nothing but Python sets
Chinese; fonts of the system are looked at only where that package was left out. The same values
give the same bytes: nothing of the clock or the machine is in the file.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _

from core.errors import DomainError

TEMPLATES = Path(settings.BASE_DIR) / "templates"
FONT_PACKAGE = "noto_cjk_sans_otc"
# Families that have the letters of simplified Chinese, the most wanted first.
FAMILIES = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN"),
    *("PingFang SC", "Microsoft YaHei", "WenQuanYi Micro Hei"),
)


@cache
def _fonts() -> tuple[Any, str]:
    """The fonts to set with, and the family with Chinese letters. DomainError no_font."""
    from typst import Fonts  # 40 MB, and few processes ever make a document

    folders = _packaged()
    fonts = Fonts(include_system_fonts=not folders, font_paths=folders)
    there = set(fonts.families())
    for family in FAMILIES:
        if family in there:
            return fonts, family
    message = _(
        "This server has no font with Chinese letters, so it cannot make documents. Install the "
        "package noto-cjk-sans-otc (it is in requirements.txt) or fonts-noto-cjk."
    )
    raise DomainError("no_font", message)


def _packaged() -> list[str]:
    """The folder of the package with the font, if it is installed."""
    found = find_spec(FONT_PACKAGE)
    return list(found.submodule_search_locations or []) if found else []


def make_pdf(template: str, values: dict[str, Any], *, language: str) -> bytes:
    """The PDF of `template` (a .typ file below templates/) with `values`, which it reads as JSON
    from `sys.inputs.values`; texts in them are text, never markup.

    `language` is that of the reader ("zh-hans", "en"): it rules where lines break. DomainError
    no_font where no font has Chinese letters.
    """
    from typst import compile as compile_typst

    fonts, family = _fonts()
    text = json.dumps(values, cls=DjangoJSONEncoder, ensure_ascii=False)
    inputs = {"values": text, "font": family, "lang": language.partition("-")[0]}
    path = str(TEMPLATES / template)
    made = compile_typst(path, root=str(TEMPLATES), font_paths=fonts, sys_inputs=inputs)
    assert isinstance(made, bytes)
    return made
