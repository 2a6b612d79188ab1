from django.db import migrations

LEVELS = [
    # code, name, English name, rank, colour
    ("registered", "注册", "Registered", 10, "secondary"),
    ("bronze", "铜牌", "Bronze", 20, "orange"),
    ("silver", "银牌", "Silver", 30, "blue"),
    ("gold", "金牌", "Gold", 40, "yellow"),
    ("platinum", "白金", "Platinum", 50, "purple"),
]


def seed(apps, schema_editor):
    """The levels most channels begin with; they can be renamed, and others added."""
    level = apps.get_model("partners", "Level")
    for code, name, name_en, rank, color in LEVELS:
        level.objects.get_or_create(
            code=code, defaults={"name": name, "name_en": name_en, "rank": rank, "color": color}
        )


class Migration(migrations.Migration):
    dependencies = [("partners", "0001_initial")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
