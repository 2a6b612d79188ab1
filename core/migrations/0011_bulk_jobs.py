from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0010_import_profiles")]

    operations = [
        migrations.AddField(
            model_name="keptanswer", name="headers", field=models.JSONField(default=dict)
        ),
    ]
