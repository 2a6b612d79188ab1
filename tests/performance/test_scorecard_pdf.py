"""The scorecard as a PDF: both languages, Chinese letters, the same bytes each time."""

from decimal import Decimal

import pytest
from django.urls import reverse

from core import documents
from core.errors import DomainError
from performance.results import document
from performance.services import evaluate
from tests import factories as make
from tests.performance.network import TODAY, make_network, make_scheme


@pytest.fixture
def score(cast):
    make_network()
    level = make.make_level(name="金牌", name_en="Gold", rank=4001)
    make_scheme(levels=[(level, 90)])
    evaluation = evaluate(scheme_code="seven", period="2013Q3", by=None, on=TODAY, publish=True)
    return evaluation.scores.get(partner=cast.north_partner)


def test_both_languages(client, cast, score):
    client.force_login(cast.north_manager)
    url = reverse("performance:score_pdf", args=[score.pk])
    made = {}
    for language in document.LANGUAGES:
        response = client.get(url, {"language": language})
        assert response["Content-Type"] == "application/pdf"
        assert response["Content-Disposition"] == (
            'attachment; filename="scorecard-NORTH-1-2013Q3.pdf"'
        )
        made[language] = response.content
        assert response.content.startswith(b"%PDF-")
        assert b"NotoSansCJK" in response.content, "the font is in the file"
        assert client.get(url, {"language": language}).content == response.content
    assert made["zh-hans"] != made["en"]
    assert client.get(url, {"language": "xx"}).content == made["zh-hans"]


def test_it_says_what_the_page_says(score):
    values = document.scorecard_values(score)
    for item, row in zip(values["items"], score.items, strict=True):
        tenth = (
            "—" if row["points"] is None else str(Decimal(row["points"]).quantize(Decimal("0.1")))
        )
        assert item["points"] == tenth
    assert values["total"] == str(score.total)
    assert values["draft"] == ""
    assert values["missing"]["title"] == "What Gold takes"
    assert {way["label"] for way in values["missing"]["ways"]} <= {
        item["label"] for item in values["items"]
    }


def test_what_is_not_published_says_so(score):
    other = make.make_evaluation(version=score.evaluation.scheme_version, period="2013Q4")
    draft = make.make_score(evaluation=other, items=score.items)
    assert document.scorecard_values(draft)["draft"] == "Not published"
    assert document.scorecard_pdf(draft, "en") != b""


def test_text_is_never_markup(score):
    score.partner.name = '#panic("x") *bold* $x$ \\ "'
    assert document.scorecard_pdf(score, "en").startswith(b"%PDF-")


def test_another_territory_gets_none(client, cast, score):
    url = reverse("performance:score_pdf", args=[score.pk])
    client.force_login(cast.south_manager)
    assert client.get(url).status_code == 404


def test_over_the_api(client, cast, score):
    client.force_login(cast.director)
    url = f"/api/v1/scores/{score.pk}/pdf/"
    response = client.get(url, {"language": "en"})
    assert response["Content-Type"] == "application/pdf"
    assert response.content == document.scorecard_pdf(score, "en")
    refused = client.get(url, {"language": "fr"})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_language")
    client.force_login(cast.south_manager)
    assert client.get(url).status_code == 404
    client.force_login(cast.director)
    detail = client.get(f"/api/v1/scores/{score.pk}/").json()
    assert detail["quartile"] in (1, 2, 3, 4)
    assert detail["next_level"]["level_code"]
    assert [entry["period_code"] for entry in detail["trend"]] == ["2013Q3"]


def test_without_a_font_it_says_what_to_install(client, cast, score, monkeypatch):
    documents._fonts.cache_clear()
    monkeypatch.setattr(documents, "FAMILIES", ())
    try:
        with pytest.raises(DomainError) as refused:
            document.scorecard_pdf(score, "en")
        assert refused.value.code == "no_font"
        client.force_login(cast.director)
        url = reverse("performance:score_pdf", args=[score.pk])
        text = client.get(url, follow=True).content.decode()
        assert "noto-cjk-sans-otc" in text
    finally:
        documents._fonts.cache_clear()
