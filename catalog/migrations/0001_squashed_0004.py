"""Product lines and products, as of migration 0004: what a new database gets in one step."""

from decimal import Decimal

import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("catalog", "0001_initial"),
        ("catalog", "0002_sort_path"),
        ("catalog", "0003_tree_in_sets"),
        ("catalog", "0004_changed_at"),
    ]

    dependencies = []

    operations = [
        TrigramExtension(),
        migrations.CreateModel(
            name="ProductLine",
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
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="catalog.productline",
                        verbose_name="parent",
                    ),
                ),
                ("path", models.TextField(db_collation="C", default="", editable=False)),
                ("sort_path", models.TextField(db_collation="C", default="", editable=False)),
                ("code", models.CharField(max_length=40, verbose_name="code")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "role",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("attack", "Attack"),
                            ("defensive", "Defensive"),
                            ("standard", "Standard and project"),
                            ("focus", "Focus"),
                        ],
                        help_text="Empty: the role of the line above.",
                        max_length=10,
                        verbose_name="portfolio role",
                    ),
                ),
            ],
            options={
                "verbose_name": "product line",
                "verbose_name_plural": "product lines",
                "ordering": ["code"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["path"], name="catalog_productline_path"),
                    models.Index(fields=["updated_at", "id"], name="productline_changed"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Upper("code"),
                        name="productline_code_unique",
                        violation_error_message="There is a product line with this code already.",
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="productline",
            trigger=pgtrigger.compiler.Trigger(
                name="set_path",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE above text; codes text;",
                    func="\n        IF NEW.parent_id IS NULL THEN\n            NEW.path := '/' || NEW.id || '/';\n            NEW.sort_path := upper(NEW.code) || chr(1);\n        ELSE\n            SELECT path, sort_path INTO above, codes\n              FROM catalog_productline WHERE id = NEW.parent_id;\n            NEW.path := above || NEW.id || '/';\n            NEW.sort_path := codes || upper(NEW.code) || chr(1);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="91e0dca8aba1a92ab3a72a987013f16dbc2fd871",
                    operation='INSERT OR UPDATE OF "parent_id", "code"',
                    pgid="pgtrigger_set_path_7bd10",
                    table="catalog_productline",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="productline",
            trigger=pgtrigger.compiler.Trigger(
                name="move_subtree",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.parent_id IS DISTINCT FROM NEW.parent_id OR OLD.code IS DISTINCT FROM NEW.code)",
                    func="\n        IF EXISTS (\n            WITH RECURSIVE above AS (\n                SELECT NEW.parent_id AS id\n                UNION\n                SELECT t.parent_id FROM catalog_productline t JOIN above USING (id))\n            SELECT FROM above WHERE id = NEW.id)\n        THEN\n            RAISE EXCEPTION 'row % cannot be placed below itself', NEW.id\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'tree_cycle';\n        END IF;\n        WITH RECURSIVE below AS (\n            SELECT id, path, sort_path FROM catalog_productline WHERE id = NEW.id\n            UNION ALL\n            SELECT t.id, b.path || t.id || '/', b.sort_path || upper(t.code) || chr(1)\n              FROM catalog_productline t JOIN below b ON t.parent_id = b.id)\n        UPDATE catalog_productline t SET path = b.path, sort_path = b.sort_path\n          FROM below b\n         WHERE t.id = b.id AND (t.path, t.sort_path) IS DISTINCT FROM (b.path, b.sort_path);\n        RETURN NULL;\n        ",
                    hash="e12117134584827152e65b6c29d05f429bbd530c",
                    operation='UPDATE OF "parent_id", "code"',
                    pgid="pgtrigger_move_subtree_76074",
                    table="catalog_productline",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="productline",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="b0f48a6d09ee435cce153fdb979903832dcd1c50",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_3f217",
                    table="catalog_productline",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Product",
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
                ("code", models.CharField(max_length=60, verbose_name="code")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                (
                    "product_line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="products",
                        to="catalog.productline",
                        verbose_name="product line",
                    ),
                ),
                ("unit", models.CharField(blank=True, max_length=20, verbose_name="unit")),
                ("category", models.CharField(blank=True, max_length=80, verbose_name="category")),
                (
                    "list_price",
                    models.DecimalField(
                        blank=True,
                        decimal_places=4,
                        max_digits=14,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="list price",
                    ),
                ),
                (
                    "active_from",
                    models.DateField(blank=True, null=True, verbose_name="on sale from"),
                ),
                (
                    "active_to",
                    models.DateField(
                        blank=True,
                        help_text="The first day it is no longer sold.",
                        null=True,
                        verbose_name="on sale until",
                    ),
                ),
            ],
            options={
                "verbose_name": "product",
                "verbose_name_plural": "products",
                "ordering": ["code"],
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["name"], name="product_name_trgm", opclasses=["gin_trgm_ops"]
                    ),
                    models.Index(fields=["updated_at", "id"], name="product_changed"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Upper("code"),
                        name="product_code_unique",
                        violation_error_message="There is a product with this code already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("list_price__isnull", True), ("list_price__gte", 0), _connector="OR"
                        ),
                        name="product_price_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("active_to__isnull", True),
                            ("active_from__isnull", True),
                            ("active_to__gt", models.F("active_from")),
                            _connector="OR",
                        ),
                        name="product_active_dates",
                        violation_error_message="It must be on sale for at least a day.",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="product",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="974fae87ec1fbb1d48abdc6bb0e550826671ae6a",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_a0efa",
                    table="catalog_product",
                    when="BEFORE",
                ),
            ),
        ),
    ]
