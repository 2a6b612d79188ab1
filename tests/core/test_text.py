import pytest

from core.text import clean_text, normalise_code, pinyin_of


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("ＡＢ－１２", "AB-12"),
        (" ab\u200f12\x00 ", "ab12"),
        ("\ufeffP001", "P001"),
        ("P\u202e001", "P001"),
        ("编码１", "编码1"),
    ],
)
def test_normalise_code(given, stored):
    assert normalise_code(given) == stored


def test_clean_text_keeps_width_and_inner_blanks():
    assert clean_text("  Ｓ  double  blanks\u200b ") == "Ｓ  double  blanks"


def test_pinyin_is_full_then_initials():
    assert pinyin_of("西安恒联") == "xianhenglian xahl"
    assert pinyin_of("Straße 7") == "straße 7 straße 7"
