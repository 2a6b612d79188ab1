"""Callers of the API: people by session, machines by token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from rest_framework.test import APIClient

from accounts.api_clients import ApiClient, create_client
from tests import factories as make

ROOT = "/api/v1/"


@pytest.fixture(autouse=True)
def _english(settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"
    cache.clear()


@pytest.fixture
def as_user(db: None) -> Callable[[Any], APIClient]:
    """A caller signed in as the user, with JSON in and out."""

    def caller(user: Any) -> APIClient:
        client = APIClient(raise_request_exception=False)
        client.force_login(user)
        return client

    return caller


def token_for(access: str = "read write", name: str = "erp", **asked: str) -> str:
    """An access token got the way a machine gets one."""
    made = create_client(name=name, access=access, by=None)
    form = {
        "grant_type": "client_credentials",
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        **asked,
    }
    return Client().post("/api/token/", form).json()["access_token"]


@pytest.fixture
def machine(db: None) -> APIClient:
    """A caller with a token that may read and write."""
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token_for(ApiClient.Access.READ_WRITE)}")
    return client


@pytest.fixture
def caller(cast, as_user):
    """The director, beside a product A-1."""
    make.make_product("Cable", code="A-1", product_line=make.make_product_line(code="CAB"))
    return as_user(cast.director)
