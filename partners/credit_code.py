"""The unified social credit code (统一社会信用代码) by GB 32100-2015.

Eighteen characters out of 31: digits and capital letters without I, O, S, V, Z. The last is a check
character: C18 = (31 − Σ Cᵢ·Wᵢ mod 31) mod 31 with Wᵢ = 3^(i−1) mod 31, i = 1 … 17.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUE = {letter: value for value, letter in enumerate(ALPHABET)}
_WEIGHTS = [pow(3, position, 31) for position in range(17)]


def check_character(first17: str) -> str:
    """The eighteenth character for the first seventeen. KeyError: a letter outside the alphabet."""
    total = sum(_VALUE[letter] * weight for letter, weight in zip(first17, _WEIGHTS, strict=True))
    return ALPHABET[(31 - total % 31) % 31]


def credit_code_problem(code: str) -> str | None:
    """What is wrong with `code`, in the user's language; None when it is valid."""
    if len(code) != 18:
        return _("A unified social credit code has 18 characters, not %(count)d.") % {
            "count": len(code)
        }
    strange = sorted(set(code) - set(ALPHABET))
    if strange:
        return _("A unified social credit code cannot contain “%(letters)s”.") % {
            "letters": "".join(strange)
        }
    expected = check_character(code[:17])
    if code[17] != expected:
        return _("The check character is wrong: it should be %(expected)s.") % {
            "expected": expected
        }
    return None
