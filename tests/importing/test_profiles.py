"""Choices that are kept: offered for the next file of the same source, and for nobody else's."""

import io
from dataclasses import asdict

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import IntegrityError
from django.urls import reverse

from core.importing import engine, profiles, services
from core.importing.models import Import, ImportProfile
from tests import factories as make
from tests.importing.test_pages import COLUMNS, TEXT, upload

# The columns of TEXT in another order and spelling, and another row.
NEXT = "金额,数量,日期,产品 编码,客户编码,单号\n5,1,2026-03-05,A-1,NORTH-1,R9\n"


def choice_of(client, load, **query):
    return client.get(reverse("core:import_map", args=[load.pk]), query).context["choice"]


@pytest.fixture
def kept(page):
    """A file that was mapped and loaded, its choices kept."""
    load = upload(page)
    page("import_map", load.pk, **COLUMNS, keep_as="U8 Wuhan")
    page("import_apply", load.pk)
    return ImportProfile.objects.get()


def test_choices_are_kept_under_a_name(kept, cast):
    assert (kept.name, kept.kind, kept.created_by) == ("U8 Wuhan", "sales", cast.north_manager)
    assert kept.columns == sorted(TEXT.splitlines()[0].split(","))
    assert kept.options["constants"] == {"source": "erp"}
    load = Import.objects.get()
    assert (load.profile, load.options) == (kept, kept.options)
    assert (kept.uses, kept.last_used_at) == (1, load.applied_at)


def test_the_next_file_of_the_source_is_read_like_it(page, client, kept):
    load = upload(page, NEXT)
    response = client.get(reverse("core:import_map", args=[load.pk]))
    assert response.context["choice"].profile == kept
    assert "Read like “U8 Wuhan”" in response.content.decode()
    assert response.context["form"].initial["set_source"] == "erp"
    page("import_map", load.pk, **COLUMNS)
    load.refresh_from_db()
    assert (load.profile, load.created) == (kept, 1)
    page("import_apply", load.pk)
    kept.refresh_from_db()
    assert kept.uses == 2
    shown = client.get(reverse("core:import_detail", args=[load.pk])).content.decode()
    assert reverse("core:importprofile_detail", args=[kept.pk]) in shown


def test_it_need_not_be_used(page, client, kept):
    load = upload(page, NEXT)
    guessed = choice_of(client, load, profile="none")
    assert (guessed.profile, guessed.options) == (None, {})
    page_of = reverse("core:import_map", args=[load.pk])
    client.post(f"{page_of}?profile=none", COLUMNS)
    load.refresh_from_db()
    assert load.profile is None


def test_a_file_with_other_columns_is_not_read_like_it(page, client, kept):
    for text in (NEXT.replace("单号", "单据"), "备注," + NEXT.replace("\n5", "\n,5")):
        assert choice_of(client, upload(page, text)).profile is None


def test_columns_that_are_gone_are_guessed_and_named(page, client, kept):
    load = upload(page, NEXT.replace("金额", "销售金额").replace("日期", "Tag"))
    chosen = choice_of(client, load, profile=str(kept.pk))
    assert sorted(chosen.missing) == sorted(["金额", "日期"])
    assert chosen.options["maps"] == {
        name: text for name, text in kept.options["maps"].items() if name != "occurred_on"
    } | {"amount": "销售金额"}
    html = client.get(reverse("core:import_map", args=[load.pk]), {"profile": kept.pk})
    assert "so that they are guessed: " in html.content.decode()


def test_saving_under_a_name_of_mine_replaces_it(page, client, kept):
    load = upload(page, NEXT)
    page("import_map", load.pk, **COLUMNS | {"set_source": "u8"}, keep_as="U8 Wuhan")
    kept.refresh_from_db()
    assert (ImportProfile.objects.count(), kept.options["constants"]) == (1, {"source": "u8"})
    assert kept.columns == sorted(TEXT.splitlines()[0].split(","))


def test_without_a_profile_the_last_file_counts(page, client, cast):
    first = upload(page)
    page("import_map", first.pk, **COLUMNS)
    assert choice_of(client, upload(page, NEXT)).earlier is None
    page("import_apply", first.pk)
    chosen = choice_of(client, upload(page, NEXT))
    assert (chosen.earlier, chosen.options["constants"]) == (first, {"source": "erp"})


def test_nobody_is_offered_what_others_keep(page, client, cast, kept):
    client.force_login(cast.south_manager)
    load = upload(page, NEXT)
    assert choice_of(client, load) == profiles.Choice()
    assert client.get(reverse("core:import_list")).status_code == 200
    address = reverse("core:import_map", args=[load.pk])
    assert client.get(address, {"profile": kept.pk}).status_code == 404
    assert "U8 Wuhan" not in client.get(reverse("core:importprofile_list")).content.decode()
    # A name of mine is no business of theirs.
    page("import_map", load.pk, **COLUMNS, keep_as="U8 Wuhan")
    assert ImportProfile.objects.filter(name="U8 Wuhan").count() == 2
    assert set(ImportProfile.objects.visible_to(cast.north_person)) == set()
    assert ImportProfile.objects.visible_to(cast.director).count() == 2


def test_ones_own_profile_goes_before_those_of_others(page, client, cast, kept):
    client.force_login(cast.director)
    mine = make.make_import_profile(
        cast.director, kind="sales", columns=kept.columns, options=kept.options
    )
    assert choice_of(client, upload(page, NEXT)).profile == mine


def test_it_is_renamed_and_deleted_and_imports_stay(page, client, kept):
    client.post(reverse("core:importprofile_edit", args=[kept.pk]), {"name": "U8 武汉"})
    kept.refresh_from_db()
    assert (kept.name, kept.options["constants"]) == ("U8 武汉", {"source": "erp"})
    page("importprofile_delete", kept.pk)
    assert Import.objects.values_list("profile", "created").get() == (None, 1)


def test_another_sheet_and_titles_are_found_by_the_profile(page, client, cast):
    """Where only the profile knows the names of the columns, below a title, on the second sheet."""
    header = ["belegnr", "kunde", "artikel", "tag", "menge", "wert"]
    book, stream = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["Read me"])
    sheet = book.create_sheet("Zeilen")
    for row in (["Umsatz"], header, ["R", "NORTH-1"]):
        sheet.append(row)
    book.save(stream)
    options = {
        "maps": dict(zip([n[4:] for n in list(COLUMNS)[:6]], header, strict=True)),
        "constants": {},
        "sheet": "Zeilen",
    }
    profile = make.make_import_profile(
        cast.north_manager, kind="sales", columns=sorted(header), options=options
    )
    load = services.upload(
        file=ContentFile(stream.getvalue(), "a.xlsx"), kind="sales", by=cast.north_manager
    )
    chosen = choice_of(client, load)
    assert (chosen.profile, chosen.missing) == (profile, ())
    assert {name: chosen.options[name] for name in options} == options
    response = client.get(reverse("core:import_map", args=[load.pk]))
    assert response.context["header"] == header


def test_an_encoding_that_no_longer_fits_is_found_out(page, client, kept):
    kept.options["encoding"] = "gb18030"
    kept.save()
    chosen = choice_of(client, upload(page, NEXT))
    assert (chosen.profile, chosen.options["encoding"], chosen.missing) == (kept, "", ())


def test_as_many_queries_for_many_profiles_as_for_one(
    page, client, cast, kept, django_assert_num_queries
):
    load = upload(page, NEXT)
    with django_assert_num_queries(1):
        assert profiles.proposed(load, by=cast.north_manager).profile == kept
    for _n in range(5):
        make.make_import_profile(cast.north_manager, kind="sales")
    with django_assert_num_queries(1):
        assert profiles.proposed(load, by=cast.north_manager).profile == kept


def test_the_command_reads_like_a_profile(load, cast):
    make.make_product(code="A-1")
    fields = {name[4:]: text for name, text in COLUMNS.items() if name.startswith("map_")}
    options = {"maps": fields, "constants": {"source": "erp"}}
    profile = make.make_import_profile(
        cast.north_manager, kind="sales", name="U8", columns=[], options=options
    )
    result = load("sales", TEXT, "--profile", "U8", "--set", "partner=NORTH-1")
    assert (result["created"], result["rejected"]) == (2, 0)
    row = Import.objects.get()
    assert (row.profile, row.options["constants"]) == (
        profile,
        {"source": "erp", "partner": "NORTH-1"},
    )
    assert load("sales", TEXT, "--profile", "U9", fails=True)["error"] == "no_profile"
    make.make_import_profile(cast.south_manager, kind="sales", name="U8")
    assert load("sales", TEXT, "--profile", "U8", fails=True)["error"] == "ambiguous_profile"
    options = ("--profile", "U8", "--by", "north_manager")
    assert load("sales", TEXT, *options)["unchanged"] == 1


def test_a_name_is_ones_own_once(db):
    one = make.make_import_profile(name="U8")
    with pytest.raises(IntegrityError):
        make.make_import_profile(one.created_by, name="U8")


def test_a_name_that_is_too_long_is_refused(page):
    load = upload(page)
    form = page("import_map", load.pk, **COLUMNS, keep_as="x" * 61).context["form"]
    assert list(form.errors) == ["keep_as"]
    with pytest.raises(ValidationError):
        profiles.keep(
            "x" * 61, kind="sales", header=["a"], options={"maps": {}}, by=load.created_by
        )


def test_a_guessed_column_says_itself_what_it_is_given_in(page, client, kept):
    kept.options["scales"] = {"amount": "10000", "quantity": "1000"}
    kept.save()
    load = upload(page, NEXT.replace("金额", "销售金额(元)"))
    chosen = choice_of(client, load, profile=str(kept.pk))
    assert chosen.options["maps"]["amount"] == "销售金额(元)"
    assert chosen.options["scales"] == {"quantity": "1000"}
    load = upload(page, NEXT.replace("金额", "销售金额(百万元)"))
    chosen = choice_of(client, load, profile=str(kept.pk))
    assert chosen.options["scales"] == {"quantity": "1000", "amount": "1000000"}


def test_a_file_is_not_read_like_a_request_with_the_same_fields(page, client, cast):
    text = "reference,partner\nR1,NORTH-1\n"
    columns = sorted(text.splitlines()[0].split(","))
    options = asdict(engine.Options(json="lines"))
    make.make_import(
        cast.north_manager, kind="sales", columns=columns, options=options, state="applied"
    )
    assert choice_of(client, upload(page, text)) == profiles.Choice()
