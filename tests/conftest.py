"""Fixtures for all tests."""

import pytest

from tests.cast import Cast, make_cast


@pytest.fixture
def cast(db: None) -> Cast:
    """The fixed cast of users and partners; see tests/cast.py."""
    return make_cast()
