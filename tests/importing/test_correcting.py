"""Rejected rows, corrected on the page or in their error file, and sent again."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from core.importing import correcting, readers
from core.importing.models import Import
from sales.models import SalesFact, Target
from tests import factories as make
from tests.importing.test_pages import COLUMNS, upload

TEXT = (
    "单号,客户编码,产品编码,日期,数量,金额,备注\n"
    "R1,NORTH-1,A-1,5/16/2026,1,5,\n"
    "R2,NOBODY,A-1,5/4/2026,x,7,rush\n"
    "R3,NORTH-1,A-2,5/5/2026,1,9,\n"
    "R4,NORTH-1,A-1,5/5/2026,1,none at all,\n"
)


@pytest.fixture
def rejected(page):
    """A loaded file of four rows, of which three were rejected."""
    load = upload(page, TEXT)
    page("import_map", load.pk, **COLUMNS)
    page("import_apply", load.pk)
    return Import.objects.get(pk=load.pk)


def grid_of(client, load, **query):
    return client.get(reverse("core:import_correct", args=[load.pk]), query).context["grid"]


def posted(grid, changes=(), out=()):
    """What a browser sends of the grid after somebody typed `changes` {(row, column): text}."""
    data = {"row": [line.number for line in grid.lines], "out": list(out)}
    for line in grid.lines:
        for cell in line.cells:
            if cell.editable:
                data[cell.name] = dict(changes).get((line.number, cell.column), cell.text)
    return data


FIXES = {(3, "客户编码"): "NORTH-1", (3, "数量"): "2", (5, "金额"): "11"}


def test_each_reason_stands_under_its_cell(client, rejected):
    grid = grid_of(client, rejected)
    found = {
        (line.number, cell.column): cell.problems
        for line in grid.lines
        for cell in line.cells
        if cell.problems
    }
    assert found == {
        (3, "客户编码"): ["There is no partner with the code “NOBODY”."],
        (3, "数量"): ["“x” is not a number such as -1234.5."],
        (4, "产品编码"): ["There is no product with the code “A-2”."],
        (5, "金额"): ["“none at all” is not a number such as -1234.5."],
    }
    assert [cell.editable for cell in grid.lines[0].cells] == [True] * 6 + [False]


def test_corrected_rows_are_an_import_of_their_own(page, client, rejected):
    grid = grid_of(client, rejected)
    response = page("import_correct", rejected.pk, **posted(grid, FIXES, out=[4]))
    new = Import.objects.latest("pk")
    assert response.url == reverse("core:import_detail", args=[new.pk])
    assert (new.corrects, new.corrected_rows, new.state) == (rejected, [3, 5], "checked")
    assert (new.rows, new.created, new.rejected) == (2, 2, 0)
    # May 4 by the order of dates that only the first file shows.
    assert new.options == rejected.options | {"dates": "mdy"}

    page("import_apply", new.pk)
    lines = SalesFact.objects.order_by("reference").values_list(
        "reference", "quantity", "amount", "occurred_on__month", "load"
    )
    assert list(lines) == [
        ("R1", 1, 5, 5, rejected.pk),
        ("R2", 2, 7, 5, new.pk),
        ("R4", 1, 11, 5, new.pk),
    ]
    assert [line.number for line in grid_of(client, rejected).lines] == [4]
    shown = client.get(reverse("core:import_detail", args=[rejected.pk])).context
    assert (shown["corrections"], shown["still_rejected"]) == ([new], 1)
    shown = client.get(reverse("core:import_detail", args=[new.pk])).context
    assert (shown["corrects"], shown["still_rejected"]) == (rejected, None)


def test_what_is_rejected_again_can_be_corrected_again(page, client, rejected):
    page("import_correct", rejected.pk, **posted(grid_of(client, rejected)))
    again = Import.objects.latest("pk")
    page("import_apply", again.pk)
    assert (correcting.still_rejected(rejected), Import.objects.get(pk=again.pk).rejected) == (3, 3)
    fixes = {(2, "客户编码"): "NORTH-1", (2, "数量"): "2", (4, "金额"): "11"}
    page("import_correct", again.pk, **posted(grid_of(client, again), fixes))
    third = Import.objects.latest("pk")
    assert (third.corrects, third.file_name) == (again, "一月-corrected.csv")
    page("import_apply", third.pk)
    assert correcting.still_rejected(rejected) == 1
    page("import_undo", third.pk)
    assert correcting.still_rejected(rejected) == 3
    assert [line.number for line in grid_of(client, again).lines] == [2, 3, 4]


def test_nothing_left_to_send_is_said(page, client, rejected):
    response = page(
        "import_correct", rejected.pk, **posted(grid_of(client, rejected), out=[3, 4, 5])
    )
    assert "No row is left to be checked." in response.content.decode()
    assert page("import_correct", rejected.pk, row=["99", "x"]).status_code == 200
    assert Import.objects.count() == 1


def corrected(load):
    """The error file with two rows corrected and the third taken out, as rows."""
    with load.error_file.open("rb") as stream:
        rows = list(csv.reader(io.StringIO(stream.read().decode("utf-8-sig"))))
    rows[1][1], rows[1][4], rows[3][5] = "NORTH-1", "2", "11"
    return [rows[0], rows[1], rows[3]]


def as_csv(rows, encoding="utf-8-sig"):
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_the_corrected_error_file_does_the_same(page, rejected, encoding):
    file = SimpleUploadedFile("mended.csv", as_csv(corrected(rejected), encoding))
    page("import_correct", rejected.pk, upload="1", file=file)
    new = Import.objects.latest("pk")
    assert (new.corrects, new.corrected_rows, new.file_name) == (rejected, [3, 5], "mended.csv")
    assert (new.rows, new.created, new.rejected) == (2, 2, 0)


def test_another_file_is_refused_there(page, rejected):
    file = SimpleUploadedFile("other.csv", TEXT.encode())
    form = page("import_correct", rejected.pk, upload="1", file=file).context["form"]
    assert "This is not the file of the rejected rows" in form.errors["file"][0]
    assert Import.objects.count() == 1


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_an_error_file_is_known_where_any_file_is_uploaded(page, client, rejected, language):
    rows = corrected(rejected)
    if language == "zh-hans":
        rows[0][-3:] = ["行号", "字段", "原因"]
    load = upload(page, as_csv(rows, "utf-8").decode())
    shown = client.get(reverse("core:import_map", args=[load.pk])).context
    assert (shown["is_error_file"], shown["header"]) == (True, TEXT.splitlines()[0].split(","))
    page("import_map", load.pk, **COLUMNS, dates="mdy")
    load.refresh_from_db()
    assert (load.rows, load.created, load.rejected) == (2, 2, 0)


def test_the_error_file_as_it_is_says_the_same_again(page, rejected):
    with rejected.error_file.open("rb") as stream:
        content = stream.read()
    page("import_correct", rejected.pk, upload="1", file=SimpleUploadedFile("e.csv", content))
    new = Import.objects.latest("pk")
    assert (new.rows, new.created, new.rejected) == (3, 0, 3)
    with new.error_file.open("rb") as stream:
        again = stream.read().decode().splitlines()
    told = [
        line.replace(f",{row},", f",{row - 1},")
        for row, line in zip((0, 3, 4, 5), content.decode().splitlines(), strict=True)
    ]
    assert again == told


def test_a_page_has_at_most_a_hundred_rows(page, client):
    rows = "".join(f"R{n},NOBODY,A-1,2026-01-05,1,5\n" for n in range(1, 121))
    load = upload(page, "单号,客户编码,产品编码,日期,数量,金额\n" + rows)
    page("import_map", load.pk, **COLUMNS)
    grid = grid_of(client, load)
    assert (len(grid.lines), grid.total, grid.pages) == (100, 120, 2)
    grid = grid_of(client, load, page=2)
    assert [grid.lines[0].number, grid.lines[-1].number] == [102, 121]
    page("import_correct", load.pk, **posted(grid))
    assert Import.objects.latest("pk").corrected_rows == list(range(102, 122))
    assert grid_of(client, load, page=2).pages == 1


def test_only_who_loaded_it_may_correct_it(page, client, cast, rejected):
    address = reverse("core:import_correct", args=[rejected.pk])
    client.force_login(cast.south_manager)
    assert client.get(address).status_code == 404
    client.force_login(cast.director)
    assert (client.get(address).status_code, client.post(address).status_code) == (403, 403)


def test_a_correction_is_read_back_whatever_its_cells_hold(page, client):
    text = (
        '"单;号;;;;;",客户编码,产品编码,日期,数量,金额\n"R|1 | x",NOBODY,A-1,2026-01-05,"1\n ",5\n'
    )
    load = upload(page, text)
    page("import_map", load.pk, **COLUMNS | {"map_reference": "单;号;;;;;"})
    page("import_correct", load.pk, **posted(grid_of(client, load)))
    new = Import.objects.latest("pk")
    table = readers.open_table(correcting.services.path_of(new))
    assert table.header == ["单;号;;;;;", *["客户编码", "产品编码", "日期", "数量", "金额"]]
    assert [cells for _row, cells in table.rows()] == [
        ["R|1 | x", "NOBODY", "A-1", "2026-01-05", "1\n ", "5"]
    ]
    assert (new.rows, new.rejected) == (1, 1)


def test_master_data_may_be_corrected_too(page, client):
    load = upload(page, "code,name,territory\nN-2,,X\nN-3,North,N\n", kind="partners")
    page("import_map", load.pk, map_code="code", map_name="name", map_territory="territory")
    grid = grid_of(client, load)
    assert [[cell.problems for cell in line.cells] for line in grid.lines] == [
        [[], ["This field is required."], ["“X” is not known."]]
    ]
    page("import_correct", load.pk, **posted(grid, {(2, "name"): "Two", (2, "territory"): "N"}))
    new = Import.objects.latest("pk")
    assert (new.rows, new.created, new.rejected) == (1, 1, 0)


def test_a_sales_line_says_from_which_file_it_came(page, client, cast, rejected):
    line = SalesFact.objects.get()
    address = reverse("sales:salesfact_detail", args=[line.pk])
    link = f'href="{reverse("core:import_detail", args=[rejected.pk])}"'
    for user, told, linked in (
        (cast.north_manager, True, True),
        (cast.director, True, True),
        (make.make_user("sales_manager", territories=[cast.north]), True, False),
        (cast.north_person, False, False),
    ):
        client.force_login(user)
        html = client.get(address).content.decode()
        assert ("一月.csv" in html, link in html) == (told, linked)


def test_each_month_of_a_row_is_corrected_for_itself(page, client, cast):
    """Two cells of one row were refused: what is typed for one is not for the other."""
    load = upload(page, "partner,2026-01,2026-02,2026-03\nNORTH-1,x,7,y\n", kind="targets")
    page("import_map", load.pk, map_partner="partner", wide="month=amount")
    page("import_apply", load.pk)
    grid = grid_of(client, load)
    assert [line.place for line in grid.lines] == ["B2", "D2"]
    assert (grid.total, grid.pages) == (2, 1)
    first, second = (line.number for line in grid.lines)
    fixes = {(first, "amount"): "10", (second, "amount"): "30"}
    page("import_correct", load.pk, **posted(grid, fixes, out=[second]))
    page("import_apply", Import.objects.latest("pk").pk)
    assert [line.place for line in grid_of(client, load).lines] == ["D2"]
    assert correcting.still_rejected(load) == 1
    page("import_correct", load.pk, **posted(grid_of(client, load), fixes))
    page("import_apply", Import.objects.latest("pk").pk)
    amounts = Target.objects.order_by("month").values_list("month__month", "amount")
    assert list(amounts) == [(1, 10), (2, 7), (3, 30)]
    assert correcting.still_rejected(load) == 0


def test_a_row_that_is_too_long_is_not_shortened_by_sending_it_again(page, client):
    """Its amount 1,234.50 stands in two cells."""
    load = upload(page, TEXT.splitlines()[0][:-3] + "\nR1,NORTH-1,A-1,2026-01-05,1,1,234.50\n")
    page("import_map", load.pk, **COLUMNS)
    page("import_apply", load.pk)
    with Import.objects.get(pk=load.pk).error_file.open("rb") as stream:
        content = stream.read()
    reason = "The row has more cells than the header has columns: 234.50."
    assert content.decode().splitlines()[1] == f"R1,NORTH-1,A-1,2026-01-05,1,1,2,,{reason},234.50"
    page("import_correct", load.pk, upload="1", file=SimpleUploadedFile("e.csv", content))
    assert Import.objects.latest("pk").rejected == 1
    Import.objects.latest("pk").delete()

    grid = grid_of(client, load)
    assert grid.lines[0].problems == [("", reason)]
    page("import_correct", load.pk, **posted(grid))
    again = Import.objects.latest("pk")
    assert (again.created, again.rejected) == (0, 1)
    page("import_correct", again.pk, **posted(grid_of(client, again), {(2, "金额"): "1,234.50"}))
    assert Import.objects.latest("pk").created == 1
