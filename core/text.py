"""Text as people and machines send it, made comparable."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Zero-width and bidirectional marks, byte-order mark, soft hyphen, NUL and other controls.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)


def clean_text(value: str) -> str:
    """Without invisible marks and outer blanks; width and case stay as they are."""
    return _INVISIBLE.sub("", value).strip()


def normalise_code(value: str) -> str:
    """A code as it is stored: full-width letters made ordinary, invisible marks and blanks gone.

    Case is kept; codes are compared with `upper()`.
    """
    return unicodedata.normalize("NFKC", clean_text(value)).strip()


def pinyin_of(value: str) -> str:
    """Sort and search key of a name: full pinyin, a blank, the initials. Lower case, ≤ 300."""
    # Its dictionaries are 60 MB and a second; who only reads names never needs them.
    from pypinyin.seg.simpleseg import seg

    # What was no Chinese comes back as it was and stays whole.
    parts = [part for word in seg(value) for part in _spelled(word)]
    full = "".join(parts).lower()
    initials = "".join(part if part in value else part[0] for part in parts).lower()
    return f"{full} {initials}"[:300]


@lru_cache(maxsize=10_000)
def _spelled(word: str) -> tuple[str, ...]:
    """The syllables of a word. Names of companies are made of few words, and to spell one costs
    more than the rest of its row in an import."""
    from pypinyin import lazy_pinyin

    return tuple(lazy_pinyin(word))
