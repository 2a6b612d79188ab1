"""An import in the browser: upload, choose columns, check, apply, error file; and who sees it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from catalog.models import Product
from core.errors import Conflict
from core.importing import services
from core.importing.models import Import
from sales.models import SalesFact
from tests import factories as make

TEXT = (
    "单号,客户编码,产品编码,日期,数量,金额\n"
    "R1,NORTH-1,A-1,2026-01-05,1,5\n"
    "R2,SOUTH-1,A-1,2026-02-05,1,7\n"
)


def upload(page, text=TEXT, kind="sales"):
    file = SimpleUploadedFile("一月.csv", text.encode())
    response = page("import_upload", kind=kind, file=file)
    assert response.status_code == 302, response.context["form"].errors
    return Import.objects.latest("pk")


COLUMNS = {
    "map_reference": "单号",
    "map_partner": "客户编码",
    "map_product": "产品编码",
    "map_occurred_on": "日期",
    "map_quantity": "数量",
    "map_amount": "金额",
    "set_source": "erp",
}


def test_from_upload_to_the_error_file(page, client, cast):
    load = upload(page)
    form = client.get(reverse("core:import_map", args=[load.pk])).context["form"]
    assert {name: form.initial.get(name) for name in COLUMNS if name != "set_source"} == {
        name: text for name, text in COLUMNS.items() if name != "set_source"
    }
    page("import_map", load.pk, **COLUMNS)
    load.refresh_from_db()
    assert (load.state, load.rows, load.created, load.rejected) == ("checked", 2, 1, 1)
    assert load.report["months"] == [["2026-01", 1, "5"]]
    assert load.report["rejects"][0][:2] == [3, "partner"]
    assert SalesFact.objects.count() == 0

    page("import_apply", load.pk)
    load.refresh_from_db()
    assert (load.state, load.created, load.rejected) == ("applied", 1, 1)
    assert SalesFact.objects.get().load == load
    shown = client.get(reverse("core:import_detail", args=[load.pk]))
    assert "SOUTH-1" in shown.content.decode()
    errors = client.get(reverse("core:import_errors", args=[load.pk]))
    assert b"R2,SOUTH-1" in b"".join(errors.streaming_content)
    raw = client.get(reverse("core:import_file", args=[load.pk]))
    assert b"".join(raw.streaming_content) == TEXT.encode()

    page("import_apply", load.pk)
    assert SalesFact.objects.count() == 1


def test_the_same_file_again_says_so(page, client):
    first = upload(page)
    page("import_map", first.pk, **COLUMNS)
    page("import_apply", first.pk)
    again = upload(page)
    page("import_map", again.pk, **COLUMNS)
    again.refresh_from_db()
    assert (again.created, again.unchanged, again.report["same_file"]) == (0, 1, first.pk)
    shown = client.get(reverse("core:import_detail", args=[again.pk]))
    assert reverse("core:import_detail", args=[first.pk]) in shown.content.decode()


def test_a_column_that_is_not_there_stays_on_the_form(page):
    load = upload(page)
    response = page("import_map", load.pk, **(COLUMNS | {"map_amount": "Betrag"}))
    assert response.status_code == 200
    assert response.context["form"].non_field_errors()
    load.refresh_from_db()
    assert load.state == "uploaded"


def test_a_file_that_cannot_be_read_is_refused_at_once(page):
    file = SimpleUploadedFile("x.csv", bytes(500))
    response = page("import_upload", kind="sales", file=file)
    assert response.context["form"].errors["file"]
    assert Import.objects.count() == 0


def test_a_manager_is_not_offered_what_they_may_not_write(page, client):
    form = client.get(reverse("core:import_upload")).context["form"]
    assert {kind for kind, _label in form.fields["kind"].choices} == {
        "partners",
        "contacts",
        "targets",
        "sales",
        "payments",
        "aliases",
        "plan_entries",
    }


def test_others_see_neither_the_import_nor_its_files(page, client, cast):
    load = upload(page)
    page("import_map", load.pk, **COLUMNS)
    routes = ("import_detail", "import_map", "import_errors", "import_file")
    client.force_login(cast.south_manager)
    assert {client.get(reverse(f"core:{name}", args=[load.pk])).status_code for name in routes} == {
        404
    }
    client.force_login(cast.north_person)
    assert {client.get(reverse(f"core:{name}", args=[load.pk])).status_code for name in routes} <= {
        403,
        404,
    }
    client.force_login(cast.director)
    seen = [client.get(reverse(f"core:{name}", args=[load.pk])).status_code for name in routes]
    assert seen == [200, 403, 200, 200]


def test_master_data_by_page(page, cast):
    load = upload(
        page, "客户编码,客户名称,区域编码\nN-2,北方贸易,N\nS-2,南方贸易,S\n", kind="partners"
    )
    page("import_map", load.pk, map_code="客户编码", map_name="客户名称", map_territory="区域编码")
    page("import_apply", load.pk)
    load.refresh_from_db()
    assert (load.state, load.created, load.rejected) == ("applied", 1, 1)


def test_the_check_shows_what_would_change(page, client, cast):
    text = (
        "客户编码,客户名称,区域编码,渠道类型,上级\n"
        "NORTH-1,Northern Trading,N,dealer,N-2\n"
        "N-2,Second,N,,\n"
    )
    make.make_partner("Second", code="N-2", territory=cast.north, short_name="")
    load = upload(page, text, kind="partners")
    page(
        "import_map", load.pk, map_code="客户编码", map_name="客户名称", map_territory="区域编码",
        map_channel_type="渠道类型", map_parent="上级",
    )  # fmt: skip
    load.refresh_from_db()
    assert (load.updated, load.unchanged) == (1, 1)
    assert [change[:2] for change in load.report["changes"]] == [[2, "channel_type"], [2, "parent"]]
    assert load.report["changes"][1] == [2, "parent", "", "N-2"]
    shown = client.get(reverse("core:import_detail", args=[load.pk])).context["changes"]
    assert shown[1][1:] == ("Parent partner", "", "N-2")
    assert shown[0][2:] == ("Distributor", "Dealer")


def test_two_clicks_on_apply_start_one_job(page, cast):
    load = upload(page)
    page("import_map", load.pk, **COLUMNS)
    load.refresh_from_db()
    services.start_apply(load=load, by=cast.north_manager)
    with pytest.raises(Conflict):
        services.start_apply(load=load, by=cast.north_manager)


PASTED = "\t".join(TEXT.splitlines()[0].split(",")) + "\n" + "R1\tNORTH-1\tA-1\t2026-01-05\t1\t5\n"


def test_rows_may_be_pasted(page, client):
    response = page("import_upload", kind="sales", text=PASTED)
    load = Import.objects.get()
    assert response.url == reverse("core:import_map", args=[load.pk])
    page("import_map", load.pk, **COLUMNS)
    page("import_apply", load.pk)
    assert SalesFact.objects.values_list("reference", "load", "row_no").get() == ("R1", load.pk, 2)
    load.refresh_from_db()
    assert load.file_name.endswith(".tsv")


@pytest.mark.parametrize("given", [{}, {"text": "  \n"}, {"text": PASTED, "file": True}])
def test_a_file_or_pasted_rows_and_not_both(page, given):
    if given.pop("file", None):
        given = given | {"file": SimpleUploadedFile("x.csv", TEXT.encode())}
    form = page("import_upload", kind="sales", **given).context["form"]
    assert list(form.errors) == (["text"] if "file" in given else ["file"])
    assert Import.objects.count() == 0


def test_a_column_that_is_taken_away_is_not_used_by_its_name(page, client):
    Product.objects.update(unit="EA")
    text = "reference,partner,product,occurred_on,quantity,amount,unit\n"
    load = upload(page, text + "R1,NORTH-1,A-1,2026-01-05,1,5,12 a box\n")
    address = reverse("core:import_map", args=[load.pk])
    data = {
        name: value for name, value in client.get(address).context["form"].initial.items() if value
    }
    assert data["map_unit"] == "unit"
    page("import_map", load.pk, **data)
    assert Import.objects.get(pk=load.pk).rejected == 1
    page("import_map", load.pk, **data | {"map_unit": ""})
    load.refresh_from_db()
    assert (load.created, load.rejected) == (1, 0)
    assert client.get(address).context["form"].initial.get("map_unit", "") == ""
