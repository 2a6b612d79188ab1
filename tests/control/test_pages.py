"""The pages of control totals: typing one in, its differences, asking for rows."""

import pytest

from core.models import Event
from sales.control import services
from sales.models import ControlTotal
from tests import factories as make
from tests.contract.conftest import sign_in  # noqa: F401  fixture

pytestmark = pytest.mark.django_db
TYPED = {"source": "test", "kind": "sell_in", "period": "2026-01", "rows": "1", "amount": "100"}


def url(total, path=""):
    return f"/sales/control/{total.pk}/{path}"


def test_a_typed_total_is_compared_at_once(cast, sign_in):  # noqa: F811
    make.make_fact(cast.north_partner)
    client = sign_in(cast.finance)
    assert client.post("/sales/control/new/", TYPED).status_code == 302
    total = ControlTotal.objects.get()
    assert (total.comparison, total.period) == ("matches", "2026-01")
    assert "Nothing differs" in client.get(url(total)).content.decode()
    assert client.post("/sales/control/new/", TYPED).status_code == 422
    assert client.post("/sales/control/new/", TYPED | {"period": "spring"}).status_code == 422
    assert ControlTotal.objects.count() == 1


def test_of_another_period_the_list_says_nothing(cast, sign_in):  # noqa: F811
    client = sign_in(cast.finance)
    client.post("/sales/control/new/", TYPED)
    total = ControlTotal.objects.get()
    services.replace_references(total, [{"reference": "A", "amount": "1"}])
    client.post(url(total, "edit/"), TYPED | {"rows": "2"})
    assert total.references.count() == 1
    client.post(url(total, "edit/"), TYPED | {"period": "2026-01-15"})
    assert total.references.count() == 0


def test_what_differs_is_shown_asked_for_and_solved(cast, sign_in):  # noqa: F811
    client = sign_in(cast.finance)
    client.post("/sales/control/new/", TYPED)
    total = ControlTotal.objects.get()
    assert "not known yet" in client.get(url(total)).content.decode()
    services.replace_references(total, [{"reference": "=A", "amount": "100"}])
    assert "Missing here" in client.get(url(total)).content.decode()
    text = b"".join(client.get(url(total, "differences/")).streaming_content).decode("utf-8-sig")
    assert text.splitlines() == [
        "Reference,Difference,Amount there,Amount here",
        "'=A,Missing here,100.0000,",
    ]
    assert client.post(url(total, "request/")).status_code == 302
    assert "Asked for again" in client.get(url(total)).content.decode()
    make.make_fact(cast.north_partner, reference="=A")
    assert client.post(url(total, "check/")).status_code == 302
    total.refresh_from_db()
    assert (total.comparison, total.requested_at) == ("matches", None)
    assert Event.objects.filter(verb="sales.controltotal.requested").count() == 1


def test_the_list_leads_to_our_rows(cast, sign_in):  # noqa: F811
    make.make_fact(cast.north_partner, reference="OURS-1")
    client = sign_in(cast.director)
    for kind, path in (("sell_in", "lines"), ("payment", "payments")):
        total = make.make_control_total(source="test", kind=kind)
        link = client.get(url(total)).context["books_url"]
        assert link.startswith(f"/sales/{path}/?source=test&")
        assert ("OURS-1" in client.get(link).content.decode()) == (kind == "sell_in")
