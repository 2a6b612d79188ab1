"""Text as people and machines send it, made comparable."""

from __future__ import annotations

import re
import unicodedata

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
    from pypinyin import lazy_pinyin

    # One conversion for both: it costs more than the rest of an import. What was no Chinese
    # comes back as it was and stays whole.
    parts = lazy_pinyin(value)
    full = "".join(parts).lower()
    initials = "".join(part if part in value else part[0] for part in parts).lower()
    return f"{full} {initials}"[:300]
