"""The scheme `quarterly-basic`, published: it works for any sales data, without targets too.

docs/algorithms/scoring.md tells why its curves are as they are.
"""

from decimal import Decimal

from django.db import migrations

TO_TWICE_THE_MEDIAN = {"kind": "linear", "points": [["0", "0"], ["1", "60"], ["2", "100"]]}
ITEMS = [
    ("sell_in_net", 40, "peer_median", TO_TWICE_THE_MEDIAN, 100),
    (
        "target_attainment",
        30,
        "none",
        {"kind": "linear", "points": [["0.6", "0"], ["1", "100"]]},
        120,
    ),
    (
        "growth_yoy",
        15,
        "none",
        {"kind": "linear", "points": [["-0.1", "0"], ["0", "60"], ["0.15", "100"]]},
        100,
    ),
    ("line_breadth", 15, "peer_median", TO_TWICE_THE_MEDIAN, 100),
]
LEVELS = [("platinum", 90), ("gold", 75), ("silver", 60), ("bronze", 40)]


def seed(apps, schema_editor):
    version = apps.get_model("performance", "SchemeVersion").objects.create(
        scheme=apps.get_model("performance", "Scheme").objects.create(
            code="quarterly-basic", name="季度基础考核", name_en="Quarterly basics"
        ),
        number=1,
        state="draft",
    )
    for position, (code, weight, target_source, curve, cap) in enumerate(ITEMS, start=1):
        version.items.create(
            position=position,
            code=code,
            measure=code,
            weight=Decimal(weight),
            target_source=target_source,
            curve=curve,
            cap=Decimal(cap),
        )
    for code, min_total in LEVELS:
        level = apps.get_model("partners", "Level").objects.get(code=code)
        version.levels.create(level=level, min_total=Decimal(min_total))
    type(version).objects.filter(pk=version.pk).update(state="published")


class Migration(migrations.Migration):
    dependencies = [("performance", "0001_initial"), ("partners", "0002_levels")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
