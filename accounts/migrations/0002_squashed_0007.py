"""Accounts, territories and API clients, as of migration 0007: what a new database gets in one step."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("accounts", "0002_api_clients"),
        ("accounts", "0003_sort_path"),
        ("accounts", "0004_tree_in_sets"),
        ("accounts", "0005_changed_at"),
        ("accounts", "0006_client_limits"),
        ("accounts", "0007_potential"),
    ]

    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.OAUTH2_PROVIDER_APPLICATION_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiCall",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="at")),
                ("method", models.CharField(max_length=10)),
                ("path", models.CharField(max_length=300)),
                ("status", models.PositiveSmallIntegerField()),
                ("milliseconds", models.PositiveIntegerField()),
                ("rows", models.PositiveIntegerField(null=True)),
                ("request_id", models.CharField(max_length=64)),
                ("address", models.GenericIPAddressField(null=True)),
                ("code", models.CharField(blank=True, max_length=60)),
                ("sandbox", models.BooleanField(default=False)),
            ],
            options={
                "verbose_name": "API call",
                "verbose_name_plural": "API calls",
                "ordering": ["-at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="ApiClient",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="updated at",
                    ),
                ),
                (
                    "access",
                    models.CharField(
                        choices=[("read", "Read"), ("read write", "Read and write")],
                        default="read",
                        max_length=20,
                        verbose_name="access",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "Switched on"), ("off", "Switched off")],
                        default="active",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "addresses",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=43),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="allowed addresses",
                    ),
                ),
                (
                    "expires_on",
                    models.DateField(
                        blank=True,
                        help_text="From this day on it gets neither tokens nor answers.",
                        null=True,
                        verbose_name="expires on",
                    ),
                ),
                (
                    "requests_per_minute",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Empty: the usual limit.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="requests a minute",
                    ),
                ),
                ("sandbox", models.BooleanField(default=False, verbose_name="sandbox")),
                ("note", models.TextField(blank=True, verbose_name="note")),
                (
                    "last_used_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="last use"),
                ),
            ],
            options={
                "verbose_name": "API client",
                "verbose_name_plural": "API clients",
                "ordering": ["application__name"],
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="territory",
            name="set_path",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="territory",
            name="move_subtree",
        ),
        migrations.AddField(
            model_name="territory",
            name="gdp",
            field=models.DecimalField(
                blank=True,
                decimal_places=2,
                help_text="Of a year, in the currency of the sales.",
                max_digits=20,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="GDP",
            ),
        ),
        migrations.AddField(
            model_name="territory",
            name="population",
            field=models.PositiveBigIntegerField(
                blank=True, help_text="Persons.", null=True, verbose_name="population"
            ),
        ),
        migrations.AddField(
            model_name="territory",
            name="sort_path",
            field=models.TextField(db_collation="C", default="", editable=False),
        ),
        migrations.AlterField(
            model_name="territory",
            name="updated_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(),
                editable=False,
                verbose_name="updated at",
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="role",
            field=models.CharField(
                choices=[
                    ("director", "Channel director"),
                    ("sales_manager", "Sales manager"),
                    ("marketing", "Marketing"),
                    ("service", "Customer service"),
                    ("finance", "Finance"),
                    ("trainer", "Trainer"),
                    ("administrator", "Administrator"),
                    ("partner_admin", "Partner administrator"),
                    ("partner_member", "Partner member"),
                    ("integration", "Integration"),
                    ("limited_machine", "Integration, limited"),
                ],
                default="sales_manager",
                max_length=20,
                verbose_name="role",
            ),
        ),
        migrations.AddIndex(
            model_name="territory",
            index=models.Index(fields=["updated_at", "id"], name="territory_changed"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="territory",
            trigger=pgtrigger.compiler.Trigger(
                name="set_path",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE above text; codes text;",
                    func="\n        IF NEW.parent_id IS NULL THEN\n            NEW.path := '/' || NEW.id || '/';\n            NEW.sort_path := upper(NEW.code) || chr(1);\n        ELSE\n            SELECT path, sort_path INTO above, codes\n              FROM accounts_territory WHERE id = NEW.parent_id;\n            NEW.path := above || NEW.id || '/';\n            NEW.sort_path := codes || upper(NEW.code) || chr(1);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="46ba5c2225082bbd4607c33df1654cba9c15fbf1",
                    operation='INSERT OR UPDATE OF "parent_id", "code"',
                    pgid="pgtrigger_set_path_5cadb",
                    table="accounts_territory",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="territory",
            trigger=pgtrigger.compiler.Trigger(
                name="move_subtree",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.parent_id IS DISTINCT FROM NEW.parent_id OR OLD.code IS DISTINCT FROM NEW.code)",
                    func="\n        IF EXISTS (\n            WITH RECURSIVE above AS (\n                SELECT NEW.parent_id AS id\n                UNION\n                SELECT t.parent_id FROM accounts_territory t JOIN above USING (id))\n            SELECT FROM above WHERE id = NEW.id)\n        THEN\n            RAISE EXCEPTION 'row % cannot be placed below itself', NEW.id\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'tree_cycle';\n        END IF;\n        WITH RECURSIVE below AS (\n            SELECT id, path, sort_path FROM accounts_territory WHERE id = NEW.id\n            UNION ALL\n            SELECT t.id, b.path || t.id || '/', b.sort_path || upper(t.code) || chr(1)\n              FROM accounts_territory t JOIN below b ON t.parent_id = b.id)\n        UPDATE accounts_territory t SET path = b.path, sort_path = b.sort_path\n          FROM below b\n         WHERE t.id = b.id AND (t.path, t.sort_path) IS DISTINCT FROM (b.path, b.sort_path);\n        RETURN NULL;\n        ",
                    hash="0e63d05e06b8004c66b581a19ca9169eed33aede",
                    operation='UPDATE OF "parent_id", "code"',
                    pgid="pgtrigger_move_subtree_44d5e",
                    table="accounts_territory",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="territory",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="8b9934d620a9ee5a2ecc9df21006442647974b12",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_86fea",
                    table="accounts_territory",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="territory",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("gdp__isnull", True),
                    models.Q(("gdp__gte", 0), ("gdp__lt", 1000000000000000000)),
                    _connector="OR",
                ),
                name="territory_gdp",
            ),
        ),
        migrations.AddField(
            model_name="apiclient",
            name="application",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="api_client",
                to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                verbose_name="OAuth2 application",
            ),
        ),
        migrations.AddField(
            model_name="apicall",
            name="client",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="calls",
                to="accounts.apiclient",
            ),
        ),
        migrations.AddConstraint(
            model_name="apiclient",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["active", "off"])), name="api_client_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="apiclient",
            constraint=models.CheckConstraint(
                condition=models.Q(("requests_per_minute__gte", 1)), name="api_client_rate_positive"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apiclient",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="b7526a406e297ac26d1ba144edd9adc5eac884f7",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_16347",
                    table="accounts_apiclient",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="apicall",
            index=models.Index(fields=["client", "-at", "-id"], name="api_call_newest"),
        ),
        migrations.AddIndex(
            model_name="apicall",
            index=models.Index(
                condition=models.Q(("status__gte", 400)),
                fields=["client", "-at", "-id"],
                name="api_call_errors",
            ),
        ),
        migrations.AddIndex(
            model_name="apicall",
            index=django.contrib.postgres.indexes.BrinIndex(fields=["at"], name="api_call_age"),
        ),
    ]
