import pytest
from hypothesis import given, strategies as st

from partners.credit_code import ALPHABET, check_character, credit_code_problem


@pytest.mark.parametrize("code", ["91350100M000100Y43", "9144030071526726XG", "91110000600037341L"])
def test_codes_with_a_right_check_character(code):
    assert credit_code_problem(code) is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("91350100M000100Y44", "check character"),
        ("91350100M000100Y4", "18 characters"),
        ("91350100I000100Y43", "I"),
    ],
)
def test_what_is_wrong_is_said(code, words):
    assert words in credit_code_problem(code)


@given(st.text(ALPHABET, min_size=17, max_size=17), st.integers(0, 16), st.sampled_from(ALPHABET))
def test_any_single_wrong_character_is_found(first17, position, letter):
    code = first17 + check_character(first17)
    assert credit_code_problem(code) is None
    changed = code[:position] + letter + code[position + 1 :]
    assert (credit_code_problem(changed) is None) == (changed == code)
