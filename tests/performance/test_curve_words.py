"""Curves as text: what is written is read back, and what cannot be read says which line."""

import pytest
from django.core.exceptions import ValidationError
from django.utils.translation import override

from performance.schemes import curve_words

CURVES = [
    ({"kind": "linear", "points": [["-0.1", "0"], ["0", "60"], ["0.155", "100"]]}, True),
    ({"kind": "linear", "points": [["0", "0"], ["1000000", "100"]]}, False),
    ({"kind": "bands", "bands": [[None, "20"], ["2", "60"], ["3", "100"]]}, False),
    ({"kind": "pass", "at_least": "0.6"}, True),
    ({"kind": "pass", "at_most": "5"}, False),
    ({"kind": "proportional"}, True),
]


@pytest.mark.parametrize(("curve", "share"), CURVES)
def test_what_is_written_is_read_back(curve, share):
    assert curve_words.read(curve["kind"], curve_words.write(curve, share=share), share=share) == (
        curve
    )


@pytest.mark.parametrize(
    "text", ["60% → 0; 100% → 100", "60 % -> 0\n100％ = 100", "60%:0；100%：100"]
)
def test_people_write_it_their_way(text):
    assert curve_words.read("linear", text, share=True) == {
        "kind": "linear",
        "points": [["0.6", "0"], ["1", "100"]],
    }


def test_below_the_first_band_nothing_is_scored():
    assert curve_words.read("bands", "≥ 2 → 60\n3 → 100", share=False) == {
        "kind": "bands",
        "bands": [[None, "0"], ["2", "60"], ["3", "100"]],
    }


@pytest.mark.parametrize(
    ("kind", "text", "share", "message"),
    [
        ("linear", "60% 0", True, "“60% 0” cannot be read. Write one line such as “60% → 0”."),
        ("linear", "60 → 0", True, "“60”: this item is read as a share, so write per cent, “60%”."),
        (
            "linear",
            "60% → 0",
            False,
            "“60%”: this item is no share, so write the number without per cent.",
        ),
        ("linear", "x → 0", False, "“x” is not a number."),
        ("linear", "", False, "Write at least one line."),
        ("bands", "< 2 → 0\n3 → 60", False, "The band after “< 2” must begin at 2."),
        ("pass", "60%", True, "Write one bound, such as “≥ 60%” or “≤ 5%”."),
    ],
)
def test_what_cannot_be_read_is_told(kind, text, share, message):
    with override("en"), pytest.raises(ValidationError) as error:
        curve_words.read(kind, text, share=share)
    assert error.value.messages == [message]
