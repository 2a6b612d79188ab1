"""Schemes as files: out, in again, the same validation, and every reason at once."""

import json
from copy import deepcopy
from io import StringIO

import pgtrigger
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse
from jsonschema import Draft202012Validator

from core.errors import Blocked
from core.models import Event
from partners.models import Level
from performance import measures
from performance.definitions import definition
from performance.models import DerivedMeasure, Scheme, SchemeVersion
from performance.schemes import differences, examples, files
from performance.schemes.validation import problems
from performance.services import draft_version, publish_version
from tests import factories as make
from tests.performance.network import TODAY, make_scheme

pytestmark = pytest.mark.django_db
EXAMPLES = [example.name for example in examples.every()]


@pytest.fixture
def levels():
    for rank, code in enumerate(("bronze", "silver", "gold", "platinum"), start=1):
        Level.objects.get_or_create(code=code, defaults={"name": code, "rank": 500 + rank})


def load(document, **options):
    return files.load(files.parse(document), by=None, **options)


def wrong(document, **options):
    with pytest.raises(files.BadFile) as refused:
        load(document, **options)
    return [str(problem.message) for problem in refused.value.problems]


def rich():
    """A document that uses everything there is."""
    curve = {"kind": "linear", "points": [["0", "0"], ["1", "100"]]}
    return {
        "format": files.FORMAT,
        "code": "rich",
        "name": "样例",
        "name_en": "Rich",
        "note": "What it is for",
        "scope": {"states": ["active"], "channel_types": ["dealer"], "territories": ["440000"]},
        "items": [
            {
                "code": "net",
                "measure": "sell_in_net",
                "kind": "sell_in",
                "product_line": "CABLE",
                "weight": "50.50",
                "target_source": "fixed",
                "target": "1000000",
                "curve": curve,
                "cap": "120",
                "gate": "10.500000",
                "minimum": "60",
            },
            {
                "code": "service",
                "basis": "rating",
                "name": "服务",
                "name_en": "Service",
                "weight": "29.5",
                "raters": 3,
                "anchors": {"1": "bad", "3": "fair", "5": "good"},
                "curve": {"kind": "bands", "bands": [[None, "0"], ["3.0", "60"], ["4", "100"]]},
                "missing": "zero",
            },
            {
                "code": "quarters",
                "basis": "scores",
                "source_scheme": "seven",
                "source_items": ["growth_yoy", "active_months"],
                "weight": "20",
                "curve": {"kind": "linear", "points": [["0", "0"], ["100", "100"]]},
                "minimum": "0",
                "minimum_rule": "above",
            },
            {
                "code": "extra",
                "role": "bonus",
                "measure": "return_rate",
                "weight": "5",
                "curve": {"kind": "pass", "at_most": "0.02"},
            },
        ],
        "vetoes": [
            {
                "code": "returns",
                "name": "退货",
                "measure": "return_rate",
                "side": "above",
                "bound": "0.3",
                "effect": "zero",
            }
        ],
        "levels": [
            {"level": "gold", "min_total": "80", "keep_total": "75"},
            {"level": "silver", "min_total": "60.00"},
        ],
        "deduction_cap": "20",
        "grace": 1,
        "most_steps_up": 1,
        "most_steps_down": 2,
        "windows": {"rating_days": 10, "review_days": 20, "appeal_days": 7},
    }


@pytest.fixture
def around(levels):
    """What `rich` names by code."""
    make_scheme()
    make.make_product_line(code="CABLE")
    make.make_territory(code="440000")


# --- out and in --------------------------------------------------------------------------------


def test_a_scheme_comes_back_as_it_went(around):
    loaded = load(rich())
    assert (loaded.outcome, loaded.version.number, loaded.problems) == ("created", 1, [])
    found = files.document(loaded.version)
    assert found == files.parse(rich())
    assert files.parse(files.dump(found)) == found
    Draft202012Validator(json.loads(files.SCHEMA.read_text())).validate(found)
    # Numbers in one way of writing them, and nothing that is at its default.
    assert found["items"][0]["weight"] == "50.5"
    assert found["items"][0]["gate"] == "10.5"
    assert found["items"][1]["curve"]["bands"][1] == ["3", "60"]
    assert found["levels"][1] == {"level": "silver", "min_total": "60"}
    assert set(found["items"][3]) == {"code", "role", "measure", "weight", "curve"}


def test_the_schema_itself_is_one():
    Draft202012Validator.check_schema(json.loads(files.SCHEMA.read_text()))


def test_loading_again_changes_nothing(around):
    first = load(rich(), publish=True, on=TODAY)
    events = Event.objects.count()
    again = load(rich())
    assert (again.outcome, again.version.pk) == ("unchanged", first.version.pk)
    assert (Event.objects.count(), SchemeVersion.objects.count()) == (events, 3)


def test_what_has_changed_becomes_a_draft_that_the_next_file_rewrites(around):
    load(rich(), publish=True, on=TODAY)
    changed = rich() | {"grace": 2}
    loaded = load(changed)
    assert (loaded.outcome, loaded.version.number, loaded.version.state) == ("created", 2, "draft")
    again = load(rich() | {"grace": 3, "name_en": "Richer"})
    assert (again.outcome, again.version.pk) == ("replaced", loaded.version.pk)
    assert files.document(again.version)["grace"] == 3
    assert Scheme.objects.get(code="rich").name_en == "Richer"
    published = load(rich() | {"grace": 3, "name_en": "Richer"}, publish=True, on=TODAY)
    assert (published.outcome, published.version.state) == ("unchanged", "published")
    assert SchemeVersion.objects.get(scheme__code="rich", number=1).state == "retired"


def test_the_order_of_lists_without_order_says_nothing(around):
    load(rich())
    turned = rich()
    turned["levels"].reverse()
    turned["items"][2]["source_items"].reverse()
    assert load(turned).outcome == "unchanged"
    turned["items"].reverse()
    assert load(turned).outcome == "replaced"


def test_without_a_scope_it_is_for_whoever_trades(around):
    document = rich()
    del document["scope"]
    assert load(document).version.scope == {
        "states": ["active", "suspended"],
        "channel_types": [],
        "levels": [],
        "territories": [],
    }


def test_a_draft_that_is_broken_can_still_be_taken_out(levels):
    version = make_scheme([("sell_in_net", 50, "none", {"kind": "spline"})], publish=False)
    found = files.document(version)
    assert found["items"][0]["curve"] == {"kind": "spline"}
    [said] = wrong(found)
    assert said.startswith("items[1].curve.kind: ")


def test_the_version_of_the_first_release_is_the_same_in_a_file():
    version = Scheme.objects.get(code="quarterly-basic").current()
    found = files.document(version)
    assert load(found).outcome == "unchanged"
    copied = load(found | {"code": "copied"}).version
    same = definition(copied) | {"scheme": "quarterly-basic"}
    assert same == definition(version)


# --- what is wrong -----------------------------------------------------------------------------


def test_everything_wrong_with_the_form_is_told_at_once(around):
    document = rich()
    document["items"][0]["weight"] = 50
    document["items"][1]["raters"] = 0
    document["items"][2]["colour"] = "red"
    del document["levels"][0]["level"]
    document["vetoes"][0]["effect"] = "shame"
    document["code"] = "Not a code"
    assert wrong(document) == [
        "code: “Not a code” is not written as it must be.",
        "items[1].weight: it must be of the type string.",
        "items[2].raters: it is too short, too long, too small or too large.",
        "items[3]: it has colour, which nobody knows.",
        "levels[1]: it lacks level.",
        'vetoes[1].effect: it must be one of "no_level", "zero".',
    ]
    assert not Scheme.objects.filter(code="rich").exists()


def test_everything_that_is_not_there_is_told_at_once(around):
    document = rich()
    document["items"][0]["product_line"] = "WIRE"
    document["items"][2]["source_scheme"] = "eight"
    document["levels"][0]["level"] = "diamond"
    document["levels"][1]["keep_total"] = "61"
    document["vetoes"].append(document["vetoes"][0])
    document["vetoes"][0] = document["vetoes"][0] | {"measure": "happiness"}
    said = wrong(document)
    assert said[:4] == [
        "items[1].product_line: there is no “WIRE”.",
        "items[3].source_scheme: there is no “eight”.",
        "vetoes[1].measure: there is no “happiness”.",
        "levels[1].level: there is no “diamond”.",
    ]
    assert "vetoes: the code “returns” is used twice." in said
    assert any("A level is kept by what reaches it, or by less." in part for part in said)
    assert not Scheme.objects.filter(code="rich").exists()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"{", "It is no JSON: line 1, column 2."),
        ("样例".encode("gb18030"), "It is not written in UTF-8."),
        (b" " * (files.LARGEST + 1), "It is too large to be a scheme."),
        (b"[" * 200_000, "It is no scheme."),
        (b"[]", "file: it must be of the type object."),
        (b'{"code": "a\\u0000"}', "It is no scheme."),
        (b'{"code": "\\ud800"}', "It is not written in UTF-8."),
        (b'{"grace": ' + b"9" * 5000 + b"}", "It is no scheme."),
    ],
)
def test_what_is_no_scheme(raw, said):
    assert wrong(raw) == [said]


def test_a_file_of_windows_with_a_mark_at_its_beginning_is_read(around):
    raw = json.dumps(rich()).encode("utf-8-sig")
    assert load(raw).outcome == "created"


def test_publishing_asks_for_everything_that_the_page_asks_for(around):
    document = rich()
    document["items"][0]["weight"] = "40"
    document["items"][1]["anchors"] = {"1": "bad"}
    loaded = load(document)
    told = [(problem.field, problem.code) for problem in loaded.problems]
    assert told == [("items", "weights_sum"), ("items.service", "anchors_missing")]
    with pytest.raises(Blocked) as blocked:
        load(document, publish=True, on=TODAY)
    assert [problem.code for problem in blocked.value.problems] == [
        "weights_sum",
        "anchors_missing",
    ]


# --- examples ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_can_be_published_as_they_are(levels, name):
    if name == "annual":
        load(examples.find("quarterly-distributor").document, publish=True, on=TODAY)
    example = examples.find(name)
    raw = (examples.FOLDER / f"{name}.json").read_text("utf-8")
    assert files.dump(example.document) == raw
    loaded = load(example.document, publish=True, on=TODAY)
    assert loaded.version.state == "published"
    assert all(item["name"] and item["name_en"] for item in example.document["items"])


def test_examples_are_those_of_the_folder():
    assert sorted(EXAMPLES) == sorted(path.stem for path in examples.FOLDER.glob("*.json"))


def test_an_example_is_copied_from_its_page(client, cast, levels):
    client.force_login(cast.director)
    text = client.get(reverse("performance:scheme_examples")).content.decode()
    address = reverse("performance:scheme_copy", args=["annual"])
    assert address in text
    card = load(examples.find("quarterly-distributor").document, publish=True, on=TODAY)
    form = client.get(address).context["form"]
    assert form["source"].value() == card.version.scheme_id
    data = {"code": "my-year", "name": "我的年度", "source": card.version.scheme_id}
    response = client.post(address, data)
    version = SchemeVersion.objects.get(scheme__code="my-year")
    assert response.url == reverse("performance:schemeversion_detail", args=[version.pk])
    assert problems(version) == []
    item = version.items.get(code="quarters")
    assert item.source_items == ["forecast", "information", "order_changes"]
    assert item.source_scheme == card.version.scheme
    refused = client.post(address, data)
    assert refused.status_code == 422
    assert "There is a scheme with this code already." in refused.content.decode()


# --- pages, API, commands ----------------------------------------------------------------------


def test_a_version_is_downloaded_and_loaded_on_its_page(client, cast, around):
    version = load(rich(), publish=True, on=TODAY).version
    client.force_login(cast.director)
    file = client.get(reverse("performance:schemeversion_file", args=[version.pk]))
    assert file["Content-Disposition"] == 'attachment; filename="rich-v1.json"'
    upload = reverse("performance:scheme_upload")

    def post(raw):
        return client.post(upload, {"file": SimpleUploadedFile("scheme.json", raw)}, follow=True)

    assert "Nothing has changed: Rich v1 says the same." in post(file.content).content.decode()
    changed = file.content.replace(b'"grace": 1', b'"grace": 2')
    assert "Loaded as a new draft: Rich v2." in post(changed).content.decode()
    refused = post(b'{"format": "x"}')
    assert refused.status_code == 422
    text = refused.content.decode()
    assert "file: it lacks code, name, items." in text and "format: it must be one of" in text


def test_the_api_gives_the_file_and_takes_it(client, cast, around):
    version = load(rich(), publish=True, on=TODAY).version
    client.force_login(cast.director)
    address = f"/api/v1/schemes/{version.scheme_id}/file/"
    found = client.get(address).json()
    assert found == files.document(version)

    def put(document):
        return client.put(address, json.dumps(document), content_type="application/json")

    assert put(found).json()["outcome"] == "unchanged"
    changed = deepcopy(found)
    changed["items"][0]["weight"] = "40"
    answer = put(changed).json()
    assert (answer["outcome"], answer["state"], answer["number"]) == ("created", "draft", 2)
    assert [problem["code"] for problem in answer["problems"]] == ["weights_sum"]
    other = put(found | {"code": "other"})
    assert (other.status_code, other.json()["code"]) == (409, "other_scheme")
    for broken in ({"code": "rich"}, [], "rich", None):
        refused = put(broken)
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_file"), broken


def command(*arguments):
    out = StringIO()
    try:
        call_command("scheme", *arguments, stdout=out)
    except SystemExit as left:
        assert left.code == 1
    return out.getvalue()


def test_commands_export_and_load(around, tmp_path):
    path = tmp_path / "rich.json"
    path.write_text(json.dumps(rich()), "utf-8")
    told = json.loads(command("load", str(path)))
    assert told == {
        "scheme": "rich",
        "version": 1,
        "state": "draft",
        "outcome": "created",
        "measures": [],
        "problems": [],
    }
    text = command("export", "rich")
    assert text == files.dump(files.document(SchemeVersion.objects.get(grace=1)))
    assert json.loads(command("export", "rich", "--published"))["error"] == "no_published_version"
    path.write_text(text, "utf-8")
    told = json.loads(command("load", str(path), "--publish"))
    assert (told["outcome"], told["state"]) == ("unchanged", "published")


def test_commands_refuse_in_one_line(around, tmp_path, cast):
    path = tmp_path / "rich.json"
    path.write_text(json.dumps(rich()), "utf-8")
    for arguments, code in (
        (("export", "nothing"), "unknown_scheme"),
        (("load", str(tmp_path / "nothing.json")), "unreadable"),
        (("load", str(path), "--by", "nobody"), "unknown_user"),
    ):
        assert json.loads(command(*arguments))["error"] == code
    path.write_text(json.dumps(rich() | {"code": "NO"}), "utf-8")
    assert json.loads(command("load", str(path)))["error"] == "bad_file"


# --- differences -------------------------------------------------------------------------------


def told_of(before, after):
    return [(c.label, c.what, c.fields) for c in differences.between(before, after)]


def test_a_copy_says_nothing_different(around):
    version = load(rich(), publish=True, on=TODAY).version
    assert told_of(version, draft_version(scheme=version.scheme, by=None)) == []


def test_differences_in_words(around):
    before = load(rich(), publish=True, on=TODAY).version
    document = rich()
    document["items"][0] |= {"weight": "40.5", "gate": None}
    document["items"][1] |= {"weight": "39.5", "raters": 2}
    document["items"][1]["anchors"]["5"] = "very good"
    del document["items"][3]
    document["vetoes"][0]["bound"] = "0.25"
    document["levels"][0]["keep_total"] = "70"
    document["scope"]["territories"] = []
    document["grace"] = 0
    document["windows"]["appeal_days"] = 14
    after = load(document).version
    told = told_of(before, after)
    assert [(label, what) for label, what, _fields in told] == [
        ("Net sell-in · CABLE", "changed"),
        ("Service", "changed"),
        ("Return rate", "removed"),
        ("退货", "changed"),
        ("Gold", "changed"),
        ("Scope", "changed"),
        ("Rules", "changed"),
    ]
    assert ("Weight", "50.5", "40.5") in told[0][2] and ("Gate", "10.5", "") in told[0][2]
    assert ("Mark 5 means", "good", "very good") in told[1][2]
    assert (
        "Rule",
        "Return rate above 30\u00a0%: Total 0",
        "Return rate above 25\u00a0%: Total 0",
    ) in (told[3][2])
    assert told[4][2] == [("Kept from", "75", "70")]
    assert told[6][2] == [("grace", "1", "0"), ("days for appeals", "7", "14")]


def test_the_page_of_differences(client, cast, around):
    version = load(rich(), publish=True, on=TODAY).version
    after = load(rich() | {"grace": 2}).version
    client.force_login(cast.director)
    address = reverse("performance:schemeversion_difference", args=[after.pk])
    text = client.get(address).content.decode()
    assert "Grace" in text and "Rich: version 2 beside version 1" in text
    alone = client.get(reverse("performance:schemeversion_difference", args=[version.pk]))
    assert alone.status_code == 200
    publish_version(version=after, by=None, on=TODAY)
    asked = client.get(address, {"from": version.pk})
    assert asked.context["before"] == version
    assert client.get(address, {"from": 10**9}).status_code == 404


# --- measures that people made -----------------------------------------------------------------

RATE = {
    "code": "rate",
    "name": "出货率",
    "name_en": "Rate",
    "definition": "出货 ÷ 进货",
    "expression": "sell_through_net ÷ sell_in_net",
    "unit": "ratio",
}
PACE = {
    "code": "pace",
    "name": "年度节奏",
    "definition": "Rate of the year, at most 2",
    "expression": "min(rate, 2)",
    "unit": "ratio",
    "higher": False,
    "places": 2,
    "zero": "zero",
    "span": "year_to_date",
}


def with_measures():
    """A scheme that uses a measure made of another one, and that one in a veto."""
    document = rich()
    document["items"][0] |= {"measure": "pace", "kind": "", "product_line": None}
    document["items"][0] |= {"target_source": "none", "target": None, "gate": None}
    document["items"][0]["curve"] = {"kind": "linear", "points": [["0", "100"], ["1", "0"]]}
    document["vetoes"][0] |= {"measure": "rate", "side": "below", "bound": "0.1"}
    return document | {"measures": [RATE, PACE]}


def forget():
    """As if the scheme and its measures had never been here."""
    with pgtrigger.ignore():
        SchemeVersion.objects.filter(scheme__code="rich").delete()
        Scheme.objects.filter(code="rich").delete()
        DerivedMeasure.objects.all().delete()


def test_a_scheme_takes_its_measures_along(around):
    first = load(with_measures(), publish=True, on=TODAY)
    assert (first.outcome, first.measures) == ("created", ["rate", "pace"])
    text = files.dump(files.document(first.version))
    said, rows = definition(first.version), list(DerivedMeasure.objects.order_by("code").values())
    Draft202012Validator(json.loads(files.SCHEMA.read_text())).validate(json.loads(text))
    assert json.loads(text)["measures"] == [PACE, RATE]
    forget()
    again = files.load(files.parse(text), by=None, publish=True, on=TODAY)
    assert (again.outcome, again.measures, again.version.state) == (
        "created",
        ["rate", "pace"],
        "published",
    )
    assert definition(again.version) == said
    assert [
        {
            name: value
            for name, value in row.items()
            if name not in ("id", "created_at", "updated_at")
        }
        for row in DerivedMeasure.objects.order_by("code").values()
    ] == [
        {
            name: value
            for name, value in row.items()
            if name not in ("id", "created_at", "updated_at")
        }
        for row in rows
    ]
    assert files.dump(files.document(again.version)) == text
    events = Event.objects.count()
    last = files.load(files.parse(text), by=None)
    assert (last.outcome, last.measures, Event.objects.count()) == ("unchanged", [], events)


def test_a_file_without_its_measures_is_read_where_they_are(around):
    make.make_derived_measure(code="rate")
    document = rich()
    document["vetoes"][0]["measure"] = "rate"
    version = load(document).version
    assert definition(version)["vetoes"][0]["derived"]["expression"]
    said = files.document(version)
    assert said["vetoes"][0]["measure"] == "rate" and "derived" not in said["vetoes"][0]
    assert [row["code"] for row in said["measures"]] == ["rate"]
    assert load(said).outcome == "unchanged"
    assert load(document).outcome == "unchanged"


def test_names_and_words_of_a_measure_stay_as_they_are_here(around):
    make.make_derived_measure(code="rate", name="Here", definition="As we say it")
    loaded = load(with_measures())
    assert loaded.measures == ["pace"]
    row = DerivedMeasure.objects.get(code="rate")
    assert (row.name, row.definition) == ("Here", "As we say it")


def test_a_measure_that_means_something_else_here_is_refused(around):
    make.make_derived_measure(code="rate", expression="sell_out_net ÷ sell_in_net", places=3)
    document = with_measures()
    document["items"][2]["source_scheme"] = "eight"
    differences = (
        f"expression “{RATE['expression']}” instead of “sell_out_net ÷ sell_in_net”, decimals "
        "“6” instead of “3”"
    )
    assert wrong(document) == [
        f"measures[2]: “rate” means something else here: {differences}.",
        "items[3].source_scheme: there is no “eight”.",
        "items[3].: Choose the other scheme whose results count.",
    ]
    assert not Scheme.objects.filter(code="rich").exists()
    assert list(DerivedMeasure.objects.values_list("code", flat=True)) == ["rate"]


@pytest.mark.parametrize(
    ("carried", "said"),
    [
        (
            [PACE | {"expression": "min(rate"}],
            [
                f"measures[1].expression: {measures.derived._WORDS['syntax']}",
                "vetoes[1].measure: there is no “rate”.",
            ],
        ),
        ([RATE, PACE, RATE], ["measures: the code “rate” is used twice."]),
        (
            [RATE | {"expression": "min(pace, 1)"}, PACE],
            ["measures: pace, rate are made of each other."],
        ),
        (
            [RATE, PACE, RATE | {"code": "other"}],
            ["measures[1]: nothing in the file uses “other”."],
        ),
        (
            [RATE | {"unit": "currency"}, PACE],
            [
                "measures[2].unit: The expression gives: Share, per cent. Choose that as its unit.",
                "measures[1].expression: There is no measure “rate”.",
            ],
        ),
        (
            [PACE],
            [
                "vetoes[1].measure: there is no “rate”.",
                "measures[1].expression: There is no measure “rate”.",
            ],
        ),
    ],
)
def test_what_is_wrong_with_the_measures_of_a_file(around, carried, said):
    document = with_measures() | {"measures": carried}
    assert sorted(wrong(document)) == sorted(said)
    assert DerivedMeasure.objects.count() == 0


def test_a_measure_of_the_program_cannot_be_carried(around):
    document = rich() | {"measures": [RATE | {"code": "return_rate"}]}
    assert wrong(document) == [
        "measures[1].code: This code means something else already.",
    ]


def test_measures_of_a_file_are_made_on_the_page_and_over_the_api(client, cast, around):
    text = files.dump(files.parse(with_measures())).encode()
    client.force_login(cast.director)
    upload = {"file": SimpleUploadedFile("scheme.json", text)}
    page = client.post(reverse("performance:scheme_upload"), upload, follow=True)
    assert "Measures made with it: rate, pace." in page.content.decode()
    created = Event.objects.filter(verb="performance.derivedmeasure.created")
    assert [event.actor for event in created] == [cast.director, cast.director]
    scheme = Scheme.objects.get(code="rich")
    address = f"/api/v1/schemes/{scheme.pk}/file/"
    found = client.get(address).json()
    assert found["measures"] == [PACE, RATE]
    other = deepcopy(found)
    other["measures"].append(RATE | {"code": "slow", "expression": "rate ÷ 2"})
    other["vetoes"][0]["measure"] = "slow"
    answer = client.put(address, json.dumps(other), content_type="application/json")
    assert (answer.status_code, answer.json()["measures"]) == (200, ["slow"])
    other["measures"][1]["places"] = 1
    refused = client.put(address, json.dumps(other), content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_file")
    assert "“rate” means something else here" in refused.json()["detail"]


def test_who_may_not_make_measures_loads_none(around):
    user = make.make_user("sales_manager")
    with pytest.raises(files.BadFile) as refused:
        files.load(files.parse(with_measures()), by=user)
    assert [problem.code for problem in refused.value.problems] == ["may_not_make"]
    assert DerivedMeasure.objects.count() == 0
