"""Sales lines and what the database keeps in step with them, targets, payments and reports, as of migration 0018: what a new database gets in one step."""

from decimal import Decimal
from importlib import import_module

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import sales.models.control

rollup = import_module("sales.migrations.0002_rollup")
plans = import_module("sales.migrations.0003_rollup_plans")
reporting = import_module("sales.migrations.0008_reporting")


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("sales", "0001_initial"),
        ("sales", "0002_rollup"),
        ("sales", "0003_rollup_plans"),
        ("sales", "0004_fact_before"),
        ("sales", "0005_payments_aliases"),
        ("sales", "0006_changed_at"),
        ("sales", "0007_facts_changed"),
        ("sales", "0008_reporting"),
        ("sales", "0009_reporting_changed"),
        ("sales", "0010_merge"),
        ("sales", "0011_follow_merged"),
        ("sales", "0012_control_totals"),
        ("sales", "0013_control_totals_changed"),
        ("sales", "0014_before_by_partner"),
        ("sales", "0015_follow_who_moves"),
        ("sales", "0016_planning"),
        ("sales", "0017_planning_dates"),
        ("sales", "0018_plan_page"),
    ]

    dependencies = [
        ("accounts", "0002_squashed_0007"),
        ("accounts", "__first__"),
        ("catalog", "0001_squashed_0004"),
        ("core", "0001_squashed_0011"),
        ("partners", "0001_squashed_0010"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClosedPeriod",
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
                ("month", models.DateField(help_text="Its first day.", verbose_name="Month")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sell_in", "Sell-in"),
                            ("sell_through", "Sell-through"),
                            ("sell_out", "Sell-out"),
                        ],
                        max_length=12,
                        verbose_name="Kind",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("closed", "Closed"), ("reopened", "Reopened")],
                        default="closed",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("closed_at", models.DateTimeField(verbose_name="closed at")),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="closed by",
                    ),
                ),
                (
                    "net",
                    models.DecimalField(
                        decimal_places=4, max_digits=24, verbose_name="net at closing"
                    ),
                ),
                ("lines", models.PositiveIntegerField(verbose_name="lines at closing")),
            ],
            options={
                "verbose_name": "closed month",
                "verbose_name_plural": "closed months",
                "ordering": ["-month", "kind", "-pk"],
                "permissions": [("reopen_closedperiod", "Can reopen a closed month")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "closed")),
                        fields=("kind", "month"),
                        name="sales_closed_once",
                        violation_error_message="This month is closed already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("month__day", 1)), name="sales_closed_month"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["sell_in", "sell_through", "sell_out"])),
                        name="sales_closed_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["closed", "reopened"])),
                        name="sales_closed_state",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="closedperiod",
            trigger=pgtrigger.compiler.Trigger(
                name="kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="5fd02c9020318e838ba7582f1a34fe6894f5aefd",
                    operation="DELETE",
                    pgid="pgtrigger_kept_ffec9",
                    table="sales_closedperiod",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="closedperiod",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="e8eb8864d7087581abdd3895ec2cda7457cf741d",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_6663f",
                    table="sales_closedperiod",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ControlTotal",
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
                    "source",
                    models.CharField(
                        db_collation="C",
                        help_text="As the rows name it.",
                        max_length=40,
                        verbose_name="Source",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sell_in", "Sell-in"),
                            ("sell_through", "Sell-through"),
                            ("sell_out", "Sell-out"),
                            ("payment", "Payments"),
                        ],
                        max_length=12,
                        verbose_name="Kind",
                    ),
                ),
                ("starts_on", models.DateField(verbose_name="from")),
                ("ends_before", models.DateField(verbose_name="before")),
                (
                    "partner",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: all partners together.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="control_totals",
                        to="partners.partner",
                        verbose_name="partner",
                    ),
                ),
                ("rows", models.PositiveIntegerField(verbose_name="rows there")),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=4, max_digits=18, verbose_name="amount there"
                    ),
                ),
                (
                    "books_rows",
                    models.PositiveIntegerField(
                        editable=False, null=True, verbose_name="rows here"
                    ),
                ),
                (
                    "books_amount",
                    models.DecimalField(
                        decimal_places=4,
                        editable=False,
                        max_digits=30,
                        null=True,
                        verbose_name="amount here",
                    ),
                ),
                (
                    "checked_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="compared at"),
                ),
                (
                    "requested_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="asked for at"),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="asked for by",
                    ),
                ),
            ],
            options={
                "verbose_name": "control total",
                "verbose_name_plural": "control totals",
                "ordering": ["-starts_on", "source", "kind"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "kind", "starts_on", "ends_before", "partner"),
                        name="control_total_unique",
                        nulls_distinct=False,
                        violation_error_message="There is a total of this source, kind, period and partner already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["sell_in", "sell_through", "sell_out", "payment"])
                        ),
                        name="control_total_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_before", sales.models.control.EndOf("starts_on", span="day")),
                            models.Q(
                                (
                                    "ends_before",
                                    sales.models.control.EndOf("starts_on", span="month"),
                                ),
                                ("starts_on__day", 1),
                            ),
                            _connector="OR",
                        ),
                        name="control_total_period",
                        violation_error_message="The period must be a day or a whole month.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("starts_on__range", ("1990-01-01", "2100-12-31"))),
                        name="control_total_date",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__lt", 100000000000000)),
                        name="control_total_finite",
                        violation_error_message="The amount is too large.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source", ""), _negated=True),
                        name="control_total_source_given",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("books_amount", None), ("books_rows", None), ("checked_at", None)
                            ),
                            models.Q(
                                ("books_amount__isnull", False),
                                ("books_rows__isnull", False),
                                ("checked_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="control_total_compared",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="controltotal",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="9904035c6aaa5e3057e8f2c93d0b49da8b1ef50b",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_04c8d",
                    table="sales_controltotal",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="controltotal",
            trigger=pgtrigger.compiler.Trigger(
                name="follow_partner",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.partner_id IS NOT NULL)",
                    declare="DECLARE kept bigint;",
                    func="\n        IF TG_OP = 'INSERT' OR NEW.partner_id IS DISTINCT FROM OLD.partner_id THEN\n            SELECT merged_into_id INTO kept FROM partners_partner\n             WHERE id = NEW.partner_id FOR KEY SHARE;\n            NEW.partner_id := coalesce(kept, NEW.partner_id);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="3cebdb5c6f6bf3206c1b4a70ddcb0aaa87c40edb",
                    operation='INSERT OR UPDATE OF "partner_id"',
                    pgid="pgtrigger_follow_partner_5a358",
                    table="sales_controltotal",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="FactBefore",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "load",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.import",
                    ),
                ),
                (
                    "previous_load",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.import",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="partners.partner",
                    ),
                ),
                ("kind", models.CharField(max_length=20)),
                ("fact_id", models.BigIntegerField()),
                ("removed", models.BooleanField(default=False)),
                ("row", models.JSONField()),
            ],
            options={
                "verbose_name": "Fact before a change",
                "verbose_name_plural": "Facts before a change",
                "indexes": [
                    models.Index(fields=["kind", "fact_id"], name="fact_before_fact"),
                    models.Index(fields=["partner", "kind"], name="fact_before_partner"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("load", "kind", "fact_id"), name="fact_before_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="partners.partner",
                        verbose_name="Partner",
                    ),
                ),
                (
                    "load",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.import",
                        verbose_name="Import",
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="Recorded at",
                    ),
                ),
                ("revised", models.BooleanField(editable=False, null=True)),
                ("paid_on", models.DateField(verbose_name="Paid on")),
                ("due_on", models.DateField(blank=True, null=True, verbose_name="Due on")),
                ("row_no", models.PositiveIntegerField(blank=True, null=True, verbose_name="Row")),
                (
                    "source",
                    models.CharField(db_collation="C", max_length=40, verbose_name="Source"),
                ),
                (
                    "reference",
                    models.CharField(db_collation="C", max_length=100, verbose_name="Reference"),
                ),
                ("invoice", models.CharField(blank=True, max_length=100, verbose_name="Invoice")),
                (
                    "amount",
                    models.DecimalField(decimal_places=4, max_digits=18, verbose_name="Amount"),
                ),
            ],
            options={
                "verbose_name": "Payment",
                "verbose_name_plural": "Payments",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["partner", "paid_on"], name="payment_partner_date"),
                    models.Index(
                        condition=models.Q(("revised", True)),
                        fields=["recorded_at", "id"],
                        name="payment_revised",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "reference"), name="payment_reference"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__lt", 100000000000000)), name="payment_finite"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("paid_on__range", ("1990-01-01", "2100-12-31")),
                            models.Q(
                                ("due_on__isnull", True),
                                ("due_on__range", ("1990-01-01", "2100-12-31")),
                                _connector="OR",
                            ),
                        ),
                        name="payment_dates",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reference", ""), _negated=True),
                            models.Q(("source", ""), _negated=True),
                        ),
                        name="payment_reference_given",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payment",
            trigger=pgtrigger.compiler.Trigger(
                name="revised",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.recorded_at := statement_timestamp(); NEW.revised := true; RETURN NEW;",
                    hash="c4fc00f4df466b05607466a1ac4b53b76b089676",
                    operation="UPDATE",
                    pgid="pgtrigger_revised_5c2ab",
                    table="sales_payment",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ProductAlias",
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
                    "partner",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="Empty: all partners.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="product_aliases",
                        to="partners.partner",
                        verbose_name="partner",
                    ),
                ),
                ("code", models.CharField(max_length=60, verbose_name="their code")),
                (
                    "unit",
                    models.CharField(
                        blank=True,
                        help_text="Empty: whatever the unit.",
                        max_length=20,
                        verbose_name="their unit",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="aliases",
                        to="catalog.product",
                        verbose_name="product",
                    ),
                ),
                (
                    "factor",
                    models.DecimalField(
                        decimal_places=4,
                        default=Decimal("1"),
                        help_text="How many of our units one of theirs is.",
                        max_digits=12,
                        validators=[django.core.validators.MinValueValidator(Decimal("0.0001"))],
                        verbose_name="factor",
                    ),
                ),
            ],
            options={
                "verbose_name": "product alias",
                "verbose_name_plural": "product aliases",
                "ordering": ["code", "unit", "partner"],
                "indexes": [
                    models.Index(
                        django.db.models.functions.text.Upper("code"), name="product_alias_code"
                    ),
                    models.Index(fields=["updated_at", "id"], name="product_alias_changed"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("partner"),
                        django.db.models.functions.text.Upper("code"),
                        django.db.models.functions.text.Upper("unit"),
                        name="product_alias_unique",
                        nulls_distinct=False,
                        violation_error_message="There is an alias for this code and unit already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("factor__gt", 0)),
                        name="product_alias_factor",
                        violation_error_message="The factor must be above zero.",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="productalias",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="a08f6590d56ecfd5ace9dc1e785c0f315bec8fad",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_1ee0d",
                    table="sales_productalias",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="productalias",
            trigger=pgtrigger.compiler.Trigger(
                name="follow_partner",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.partner_id IS NOT NULL)",
                    declare="DECLARE kept bigint;",
                    func="\n        IF TG_OP = 'INSERT' OR NEW.partner_id IS DISTINCT FROM OLD.partner_id THEN\n            SELECT merged_into_id INTO kept FROM partners_partner\n             WHERE id = NEW.partner_id FOR KEY SHARE;\n            NEW.partner_id := coalesce(kept, NEW.partner_id);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="cf860d45fe0aaffb8aaaf12acaf923781ba5dd7a",
                    operation='INSERT OR UPDATE OF "partner_id"',
                    pgid="pgtrigger_follow_partner_e363f",
                    table="sales_productalias",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ReportingRule",
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
                ("name", models.CharField(max_length=100, unique=True, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sell_in", "Sell-in"),
                            ("sell_through", "Sell-through"),
                            ("sell_out", "Sell-out"),
                        ],
                        default="sell_through",
                        max_length=12,
                        verbose_name="Kind",
                    ),
                ),
                (
                    "frequency",
                    models.CharField(
                        choices=[
                            ("week", "Weekly"),
                            ("month", "Monthly"),
                            ("quarter", "Quarterly"),
                        ],
                        default="month",
                        max_length=10,
                        verbose_name="frequency",
                    ),
                ),
                (
                    "due_days",
                    models.PositiveSmallIntegerField(
                        default=10,
                        help_text="Days after the end of the period on which the report may still come.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(366),
                        ],
                        verbose_name="due after days",
                    ),
                ),
                (
                    "starts_on",
                    models.DateField(
                        help_text="Periods that begin on this day or later are reported.",
                        verbose_name="from",
                    ),
                ),
                (
                    "ends_before",
                    models.DateField(
                        blank=True,
                        help_text="Periods that begin before this day are reported; empty: without end.",
                        null=True,
                        verbose_name="until (exclusive)",
                    ),
                ),
                (
                    "channel_types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("distributor", "Distributor"),
                                ("agent", "Agent"),
                                ("dealer", "Dealer"),
                                ("retailer", "Retailer"),
                                ("ecommerce", "E-commerce"),
                                ("integrator", "System integrator"),
                            ],
                            max_length=20,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="channel types",
                    ),
                ),
                (
                    "remind_before",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Empty: no reminder.",
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(366)],
                        verbose_name="remind days before due",
                    ),
                ),
                (
                    "remind_after",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Empty: no reminder.",
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(366)],
                        verbose_name="remind days after due",
                    ),
                ),
                (
                    "levels",
                    models.ManyToManyField(
                        blank=True, related_name="+", to="partners.level", verbose_name="levels"
                    ),
                ),
                (
                    "territories",
                    models.ManyToManyField(
                        blank=True,
                        help_text="With all below.",
                        related_name="+",
                        to="accounts.territory",
                        verbose_name="territories",
                    ),
                ),
                (
                    "partners",
                    models.ManyToManyField(
                        blank=True, related_name="+", to="partners.partner", verbose_name="partners"
                    ),
                ),
            ],
            options={
                "verbose_name": "reporting rule",
                "verbose_name_plural": "reporting rules",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["sell_in", "sell_through", "sell_out"])),
                        name="sales_rule_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("frequency__in", ("week", "month", "quarter"))),
                        name="sales_rule_frequency",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("starts_on__range", ("1990-01-01", "2100-12-31"))),
                        name="sales_rule_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_before__isnull", True),
                            ("ends_before__gt", models.F("starts_on")),
                            _connector="OR",
                        ),
                        name="sales_rule_dates",
                        violation_error_message="The end must lie after the beginning.",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reportingrule",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="41b189d5dfe15967460c091fbe836175ee349ce6",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_51397",
                    table="sales_reportingrule",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="SalesDaily",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "partner",
                        "day",
                        "kind",
                        "product_line",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="partners.partner",
                    ),
                ),
                (
                    "product_line",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="catalog.productline",
                    ),
                ),
                ("day", models.DateField()),
                ("lines", models.IntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sell_in", "Sell-in"),
                            ("sell_through", "Sell-through"),
                            ("sell_out", "Sell-out"),
                        ],
                        max_length=12,
                    ),
                ),
                ("net", models.DecimalField(decimal_places=4, max_digits=24)),
                ("returns", models.DecimalField(decimal_places=4, max_digits=24)),
                ("quantity", models.DecimalField(decimal_places=4, max_digits=24)),
            ],
            options={
                "verbose_name": "Daily sales",
                "verbose_name_plural": "Daily sales",
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        fields=["day"], name="sales_daily_day_brin", pages_per_range=32
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SalesFact",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sales_facts",
                        to="partners.partner",
                        verbose_name="Partner",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sales_facts",
                        to="catalog.product",
                        verbose_name="Product",
                    ),
                ),
                (
                    "load",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.import",
                        verbose_name="Import",
                    ),
                ),
                (
                    "reverses",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversals",
                        to="sales.salesfact",
                        verbose_name="Reverses",
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="Recorded at",
                    ),
                ),
                ("revised", models.BooleanField(editable=False, null=True)),
                ("occurred_on", models.DateField(verbose_name="Date")),
                ("row_no", models.PositiveIntegerField(blank=True, null=True, verbose_name="Row")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sell_in", "Sell-in"),
                            ("sell_through", "Sell-through"),
                            ("sell_out", "Sell-out"),
                        ],
                        default="sell_in",
                        max_length=12,
                        verbose_name="Kind",
                    ),
                ),
                (
                    "source",
                    models.CharField(db_collation="C", max_length=40, verbose_name="Source"),
                ),
                (
                    "reference",
                    models.CharField(db_collation="C", max_length=100, verbose_name="Reference"),
                ),
                (
                    "quantity",
                    models.DecimalField(decimal_places=4, max_digits=18, verbose_name="Quantity"),
                ),
                (
                    "amount",
                    models.DecimalField(decimal_places=4, max_digits=18, verbose_name="Amount"),
                ),
            ],
            options={
                "verbose_name": "Sales line",
                "verbose_name_plural": "Sales lines",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["partner", "occurred_on"], name="sales_fact_partner_date"),
                    django.contrib.postgres.indexes.BrinIndex(
                        fields=["occurred_on"], name="sales_fact_date_brin"
                    ),
                    django.contrib.postgres.indexes.BrinIndex(
                        fields=["load"], name="sales_fact_load_brin"
                    ),
                    models.Index(
                        condition=models.Q(("reverses__isnull", False)),
                        fields=["reverses"],
                        name="sales_fact_reverses",
                    ),
                    models.Index(
                        condition=models.Q(("revised", True)),
                        fields=["recorded_at", "id"],
                        name="sales_fact_revised",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "reference"), name="sales_fact_reference"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["sell_in", "sell_through", "sell_out"])),
                        name="sales_fact_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount__lt", 100000000000000), ("quantity__lt", 100000000000000)
                        ),
                        name="sales_fact_finite",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("occurred_on__range", ("1990-01-01", "2100-12-31"))),
                        name="sales_fact_date",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reference", ""), _negated=True),
                            models.Q(("source", ""), _negated=True),
                        ),
                        name="sales_fact_reference_given",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reverses", models.F("id")), _negated=True),
                        name="sales_fact_not_itself",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="salesfact",
            trigger=pgtrigger.compiler.Trigger(
                name="revised",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.recorded_at := statement_timestamp(); NEW.revised := true; RETURN NEW;",
                    hash="096f1b4e3634297d6d9198843e0b3e004f9a0bd8",
                    operation="UPDATE",
                    pgid="pgtrigger_revised_4423a",
                    table="sales_salesfact",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="TargetPlan",
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
                    "code",
                    models.CharField(
                        help_text="All versions of the plan have it; files name it.",
                        max_length=40,
                        verbose_name="code",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "year",
                    models.PositiveSmallIntegerField(
                        help_text="Named after the calendar year in which it starts.",
                        validators=[
                            django.core.validators.MinValueValidator(1990),
                            django.core.validators.MaxValueValidator(2100),
                        ],
                        verbose_name="fiscal year",
                    ),
                ),
                ("starts_on", models.DateField(editable=False, verbose_name="from")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sell_in", "Sell-in"),
                            ("sell_through", "Sell-through"),
                            ("collection", "Collection"),
                        ],
                        default="sell_in",
                        max_length=12,
                        verbose_name="Kind",
                    ),
                ),
                (
                    "territory",
                    models.ForeignKey(
                        help_text="With all below.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="target_plans",
                        to="accounts.territory",
                        verbose_name="territory",
                    ),
                ),
                (
                    "amount",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="What the territory is to reach. Empty: last year’s with the growth.",
                        max_digits=18,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="top-down amount",
                    ),
                ),
                (
                    "newcomers",
                    models.CharField(
                        choices=[
                            ("median", "The median of their channel type"),
                            ("zero", "Nothing"),
                        ],
                        default="median",
                        max_length=10,
                        verbose_name="partners without history get",
                    ),
                ),
                (
                    "rounding",
                    models.SmallIntegerField(
                        choices=[(2, "0.01"), (0, "1"), (-2, "100"), (-3, "1,000")],
                        default=0,
                        verbose_name="round to",
                    ),
                ),
                (
                    "due_on",
                    models.DateField(
                        blank=True,
                        help_text="The day by which managers and partners enter what they expect.",
                        null=True,
                        verbose_name="figures from below until",
                    ),
                ),
                (
                    "remind_before",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        default=7,
                        help_text="A letter to those who have not entered their figures so many days before that day. Empty: none.",
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(90)],
                        verbose_name="remind days before",
                    ),
                ),
                (
                    "reminded_on",
                    models.DateField(editable=False, null=True, verbose_name="reminded on"),
                ),
                ("undo", models.UUIDField(editable=False, null=True)),
                (
                    "version",
                    models.PositiveSmallIntegerField(
                        default=1, editable=False, verbose_name="version"
                    ),
                ),
                (
                    "amends",
                    models.OneToOneField(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="next_version",
                        to="sales.targetplan",
                        verbose_name="amends",
                    ),
                ),
                (
                    "reason",
                    models.TextField(
                        blank=True, editable=False, verbose_name="reason of the amendment"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("submitted", "Submitted"),
                            ("signed", "Signed off"),
                            ("superseded", "Superseded"),
                        ],
                        default="draft",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="submitted by",
                    ),
                ),
                (
                    "submitted_on",
                    models.DateField(editable=False, null=True, verbose_name="submitted on"),
                ),
                (
                    "signed_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="signed off by",
                    ),
                ),
                (
                    "signed_on",
                    models.DateField(editable=False, null=True, verbose_name="signed off on"),
                ),
                (
                    "product_lines",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Each with all below. Empty: one amount for all lines together.",
                        related_name="+",
                        to="catalog.productline",
                        verbose_name="product lines",
                    ),
                ),
            ],
            options={
                "verbose_name": "target plan",
                "verbose_name_plural": "target plans",
                "ordering": ["-year", "code", "-version"],
                "permissions": [
                    ("submit_targetplan", "Can submit a target plan"),
                    ("sign_targetplan", "Can sign off a target plan"),
                    ("amend_targetplan", "Can amend a signed target plan"),
                ],
                "indexes": [models.Index(fields=["updated_at", "id"], name="target_plan_changed")],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Upper("code"),
                        models.F("version"),
                        name="target_plan_version",
                        violation_error_message="There is a plan with this code already.",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Upper("code"),
                        condition=models.Q(("state__in", ["draft", "submitted"])),
                        name="target_plan_one_open",
                        violation_error_message="A version of this plan is being worked on already.",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Upper("code"),
                        condition=models.Q(("state", "signed")),
                        name="target_plan_one_signed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["draft", "submitted", "signed", "superseded"])
                        ),
                        name="target_plan_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["sell_in", "sell_through", "collection"])),
                        name="target_plan_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("starts_on__day", 1), ("year__range", (1990, 2100))),
                        name="target_plan_year",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount__isnull", True),
                            models.Q(("amount__gte", 0), ("amount__lt", 10000000000000000)),
                            _connector="OR",
                        ),
                        name="target_plan_amount",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "draft"),
                            models.Q(
                                ("submitted_by__isnull", False), ("submitted_on__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="target_plan_submitted",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("signed_by__isnull", True), ("state__in", ["draft", "submitted"])
                            ),
                            models.Q(
                                ("signed_by__isnull", False),
                                ("signed_on__isnull", False),
                                ("state__in", ["signed", "superseded"]),
                            ),
                            _connector="OR",
                        ),
                        name="target_plan_signed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("signed_by__isnull", True),
                            models.Q(("signed_by", models.F("submitted_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="target_plan_two_persons",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("amends__isnull", True), ("version", 1)),
                            models.Q(
                                ("amends__isnull", False),
                                ("version__gt", 1),
                                models.Q(("reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="target_plan_amendment",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="targetplan",
            trigger=pgtrigger.compiler.Trigger(
                name="signed_stands",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.state IN ('signed', 'superseded'))",
                    func="\n        IF to_jsonb(OLD) - 'state' - 'updated_at' <> to_jsonb(NEW) - 'state' - 'updated_at'\n           OR (OLD.state <> NEW.state AND (OLD.state <> 'signed' OR NEW.state <> 'superseded'))\n        THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'The plan is signed and stands. Begin an amendment.'; END IF;\n        RETURN NEW;\n        ",
                    hash="5358e7b33abc4c740ac5b546e1438305058f36b1",
                    operation="UPDATE",
                    pgid="pgtrigger_signed_stands_42d8f",
                    table="sales_targetplan",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="targetplan",
            trigger=pgtrigger.compiler.Trigger(
                name="signed_stays",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.state <> 'draft')",
                    func="RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'The plan is signed and stands. Begin an amendment.'; RETURN OLD;",
                    hash="35af0012520e46defb55bf1c98d868b144a91ccd",
                    operation="DELETE",
                    pgid="pgtrigger_signed_stays_dbbb7",
                    table="sales_targetplan",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="targetplan",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="d5c3449587bb371365ac51d483d35b69b4887902",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_09082",
                    table="sales_targetplan",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Adjustment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "closing",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustments",
                        to="sales.closedperiod",
                        verbose_name="closed month",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustments",
                        to="partners.partner",
                        verbose_name="partner",
                    ),
                ),
                (
                    "product_line",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.productline",
                        verbose_name="product line",
                    ),
                ),
                (
                    "load",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.import",
                        verbose_name="Import",
                    ),
                ),
                ("fact_id", models.BigIntegerField(verbose_name="Sales line")),
                ("recorded_at", models.DateTimeField(verbose_name="Recorded at")),
                ("occurred_on", models.DateField(verbose_name="Date")),
                ("month", models.DateField(verbose_name="Month")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sell_in", "Sell-in"),
                            ("sell_through", "Sell-through"),
                            ("sell_out", "Sell-out"),
                        ],
                        max_length=12,
                        verbose_name="Kind",
                    ),
                ),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("late", "Late"),
                            ("returned", "Returned"),
                            ("changed", "Changed"),
                            ("undone", "Taken back"),
                        ],
                        max_length=10,
                        verbose_name="cause",
                    ),
                ),
                (
                    "source",
                    models.CharField(db_collation="C", max_length=40, verbose_name="Source"),
                ),
                (
                    "reference",
                    models.CharField(db_collation="C", max_length=100, verbose_name="Reference"),
                ),
                (
                    "quantity",
                    models.DecimalField(decimal_places=4, max_digits=20, verbose_name="Quantity"),
                ),
                (
                    "amount",
                    models.DecimalField(decimal_places=4, max_digits=20, verbose_name="Amount"),
                ),
            ],
            options={
                "verbose_name": "adjustment",
                "verbose_name_plural": "adjustments",
                "ordering": ["-id"],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="adjustment",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="328d14a25a30e6390574492ee168025236136e52",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_e075c",
                    table="sales_adjustment",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ControlReference",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "total",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="references",
                        to="sales.controltotal",
                    ),
                ),
                (
                    "reference",
                    models.CharField(db_collation="C", max_length=100, verbose_name="Reference"),
                ),
                (
                    "amount",
                    models.DecimalField(decimal_places=4, max_digits=18, verbose_name="Amount"),
                ),
            ],
            options={
                "verbose_name": "reference of a control total",
                "verbose_name_plural": "references of control totals",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("total", "reference"), name="control_reference_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reference", ""), _negated=True),
                        name="control_reference_given",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__lt", 100000000000000)),
                        name="control_reference_finite",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Report",
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
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reports",
                        to="sales.reportingrule",
                        verbose_name="rule",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reports",
                        to="partners.partner",
                        verbose_name="partner",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sell_in", "Sell-in"),
                            ("sell_through", "Sell-through"),
                            ("sell_out", "Sell-out"),
                        ],
                        max_length=12,
                        verbose_name="Kind",
                    ),
                ),
                ("starts_on", models.DateField(verbose_name="from")),
                ("ends_before", models.DateField(verbose_name="until (exclusive)")),
                ("due_on", models.DateField(verbose_name="due on")),
                (
                    "received_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="received at"),
                ),
                (
                    "load",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.import",
                        verbose_name="Import",
                    ),
                ),
                (
                    "nothing_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="confirmed at"),
                ),
                (
                    "nothing_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="confirmed by",
                    ),
                ),
                (
                    "reminders",
                    models.PositiveSmallIntegerField(
                        default=0, editable=False, verbose_name="reminders"
                    ),
                ),
                (
                    "reminded_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="last reminded"),
                ),
            ],
            options={
                "verbose_name": "report",
                "verbose_name_plural": "reports",
                "ordering": ["-starts_on", "partner"],
                "permissions": [
                    ("remind_report", "Can remind a partner of a report"),
                    ("confirm_report", "Can confirm that there is nothing to report"),
                ],
                "indexes": [
                    models.Index(
                        fields=["partner", "kind", "starts_on"], name="sales_report_of_partner"
                    ),
                    models.Index(fields=["kind", "starts_on"], name="sales_report_of_kind"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("rule", "starts_on", "partner"), name="sales_report_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("due_on__gte", models.F("ends_before")),
                            ("ends_before__gt", models.F("starts_on")),
                        ),
                        name="sales_report_dates",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("nothing_at__isnull", True), ("nothing_by__isnull", True)),
                            models.Q(("nothing_at__isnull", False), ("nothing_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="sales_report_confirmed_by_somebody",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="report",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="97c83a751ed821af46ab523fd5e9fe3e85f52a7b",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_57418",
                    table="sales_report",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="report",
            trigger=pgtrigger.compiler.Trigger(
                name="follow_partner",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.partner_id IS NOT NULL)",
                    declare="DECLARE kept bigint;",
                    func="\n        IF TG_OP = 'INSERT' OR NEW.partner_id IS DISTINCT FROM OLD.partner_id THEN\n            SELECT merged_into_id INTO kept FROM partners_partner\n             WHERE id = NEW.partner_id FOR KEY SHARE;\n            NEW.partner_id := coalesce(kept, NEW.partner_id);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="0c0391f8134269e2b3ab6347c475d02ad7921bda",
                    operation='INSERT OR UPDATE OF "partner_id"',
                    pgid="pgtrigger_follow_partner_83bf3",
                    table="sales_report",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Target",
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
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="targets",
                        to="partners.partner",
                        verbose_name="Partner",
                    ),
                ),
                (
                    "product_line",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: all product lines together.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="targets",
                        to="catalog.productline",
                        verbose_name="Product line",
                    ),
                ),
                (
                    "month",
                    models.DateField(
                        db_index=True, help_text="Its first day.", verbose_name="Month"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sell_in", "Sell-in"),
                            ("sell_through", "Sell-through"),
                            ("collection", "Collection"),
                        ],
                        default="sell_in",
                        max_length=12,
                        verbose_name="Kind",
                    ),
                ),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=18,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="Amount",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="targets",
                        to="sales.targetplan",
                        verbose_name="target plan",
                    ),
                ),
            ],
            options={
                "verbose_name": "Target",
                "verbose_name_plural": "Targets",
                "ordering": ["-month", "partner", "product_line"],
                "indexes": [models.Index(fields=["updated_at", "id"], name="sales_target_changed")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("partner", "month", "kind", "product_line"),
                        name="sales_target_unique",
                        nulls_distinct=False,
                        violation_error_message="This partner has a target for this month, kind and product line already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("month__day", 1)),
                        name="sales_target_month",
                        violation_error_message="A month is given by its first day.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["sell_in", "sell_through", "collection"])),
                        name="sales_target_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gte", 0), ("amount__lt", 10000000000000000)),
                        name="sales_target_amount",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="target",
            trigger=pgtrigger.compiler.Trigger(
                name="planned_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n    IF EXISTS (SELECT FROM touched t WHERE t.plan_id IS NOT NULL AND NOT \n    EXISTS (SELECT FROM sales_targetplan p JOIN sales_targetplanline l ON l.plan_id = p.id\n             WHERE p.id = t.plan_id AND p.state IN ('submitted', 'signed') AND p.kind = t.kind\n               AND l.partner_id = t.partner_id AND l.month = t.month\n               AND l.product_line_id IS NOT DISTINCT FROM t.product_line_id\n               AND l.amount = t.amount))\n    THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'The target belongs to a signed plan and changes only by an amendment of the plan.'; END IF;\n    IF EXISTS (SELECT FROM touched t JOIN sales_target o\n                   ON o.partner_id = t.partner_id AND o.month = t.month AND o.kind = t.kind\n                WHERE t.plan_id IS NULL AND t.product_line_id IS NULL\n                  AND o.plan_id IS NOT NULL AND o.product_line_id IS NOT NULL)\n    THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'A signed plan has targets by product line for this partner and month; a target for all lines together would take their place.'; END IF;\nRETURN NULL;",
                    hash="1b2c442d9884860cb3d5a938e5269e1ea37eadff",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_planned_insert_f5525",
                    referencing="REFERENCING NEW TABLE AS touched ",
                    table="sales_target",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="target",
            trigger=pgtrigger.compiler.Trigger(
                name="planned_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT FROM touched o JOIN changed t USING (id)\n                     JOIN sales_targetplan p ON p.id = o.plan_id\n                    WHERE p.state = 'signed'\n                      AND (o.partner_id, o.product_line_id, o.month, o.kind, o.amount, o.plan_id)\n                          IS DISTINCT FROM\n                          (t.partner_id, t.product_line_id, t.month, t.kind, t.amount, t.plan_id))\n        THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'The target belongs to a signed plan and changes only by an amendment of the plan.'; END IF;\n        \n    IF EXISTS (SELECT FROM changed t WHERE t.plan_id IS NOT NULL AND NOT \n    EXISTS (SELECT FROM sales_targetplan p JOIN sales_targetplanline l ON l.plan_id = p.id\n             WHERE p.id = t.plan_id AND p.state IN ('submitted', 'signed') AND p.kind = t.kind\n               AND l.partner_id = t.partner_id AND l.month = t.month\n               AND l.product_line_id IS NOT DISTINCT FROM t.product_line_id\n               AND l.amount = t.amount))\n    THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'The target belongs to a signed plan and changes only by an amendment of the plan.'; END IF;\n    IF EXISTS (SELECT FROM changed t JOIN sales_target o\n                   ON o.partner_id = t.partner_id AND o.month = t.month AND o.kind = t.kind\n                WHERE t.plan_id IS NULL AND t.product_line_id IS NULL\n                  AND o.plan_id IS NOT NULL AND o.product_line_id IS NOT NULL)\n    THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'A signed plan has targets by product line for this partner and month; a target for all lines together would take their place.'; END IF;\n\n        RETURN NULL;\n        ",
                    hash="218f20974a02796e4cd3686796a0c87f2c30ca5e",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_planned_update_3e9cd",
                    referencing="REFERENCING OLD TABLE AS touched  NEW TABLE AS changed ",
                    table="sales_target",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="target",
            trigger=pgtrigger.compiler.Trigger(
                name="planned_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT FROM touched o JOIN sales_targetplan p ON p.id = o.plan_id\n                    WHERE p.state = 'signed')\n        THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'The target belongs to a signed plan and changes only by an amendment of the plan.'; END IF;\n        RETURN NULL;\n        ",
                    hash="468eeab5a1776279df89d3464efbe39bcea389e4",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_planned_delete_79d4a",
                    referencing="REFERENCING OLD TABLE AS touched ",
                    table="sales_target",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="target",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="b73cfc020fb94e8d04c86d3064ba877be6a9e87c",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_679be",
                    table="sales_target",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="target",
            trigger=pgtrigger.compiler.Trigger(
                name="follow_partner",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.partner_id IS NOT NULL)",
                    declare="DECLARE kept bigint;",
                    func="\n        IF TG_OP = 'INSERT' OR NEW.partner_id IS DISTINCT FROM OLD.partner_id THEN\n            SELECT merged_into_id INTO kept FROM partners_partner\n             WHERE id = NEW.partner_id FOR KEY SHARE;\n            NEW.partner_id := coalesce(kept, NEW.partner_id);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="618e5f9366d4455a311f99ad791156e2a6465d4d",
                    operation='INSERT OR UPDATE OF "partner_id"',
                    pgid="pgtrigger_follow_partner_35160",
                    table="sales_target",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="TargetPlanGrowth",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="growths",
                        to="sales.targetplan",
                    ),
                ),
                (
                    "territory",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.territory",
                        verbose_name="territory",
                    ),
                ),
                (
                    "rate",
                    models.DecimalField(
                        decimal_places=4,
                        max_digits=6,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("-1")),
                            django.core.validators.MaxValueValidator(Decimal("10")),
                        ],
                        verbose_name="growth",
                    ),
                ),
            ],
            options={
                "verbose_name": "growth of a territory",
                "verbose_name_plural": "growth of territories",
                "ordering": ["territory__sort_path"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("plan", "territory"), name="target_growth_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rate__gte", -1), ("rate__lte", 10)),
                        name="target_growth",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="targetplangrowth",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE found text;",
                    func="\n        FOR found IN SELECT p.state FROM sales_targetplan p\n                      WHERE p.id IN (SELECT t.plan_id FROM touched t) ORDER BY p.id FOR KEY SHARE\n        LOOP\n            IF found <> 'draft' THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'Only the draft of a plan can be changed. Begin an amendment.'; END IF;\n        END LOOP;\n    RETURN NULL;",
                    hash="e9f71eebe78259a7bf4c653feee39fa60dd9cf49",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_frozen_insert_24db9",
                    referencing="REFERENCING NEW TABLE AS touched ",
                    table="sales_targetplangrowth",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="targetplangrowth",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE found text;",
                    func="\n        FOR found IN SELECT p.state FROM sales_targetplan p\n                      WHERE p.id IN (SELECT t.plan_id FROM touched t) ORDER BY p.id FOR KEY SHARE\n        LOOP\n            IF found <> 'draft' THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'Only the draft of a plan can be changed. Begin an amendment.'; END IF;\n        END LOOP;\n    \n        FOR found IN SELECT p.state FROM sales_targetplan p\n                      WHERE p.id IN (SELECT t.plan_id FROM changed t) ORDER BY p.id FOR KEY SHARE\n        LOOP\n            IF found <> 'draft' THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'Only the draft of a plan can be changed. Begin an amendment.'; END IF;\n        END LOOP;\n    RETURN NULL;",
                    hash="0478accb69a590a6326bdbd0da27800a700a64b4",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_frozen_update_9fe86",
                    referencing="REFERENCING OLD TABLE AS touched  NEW TABLE AS changed ",
                    table="sales_targetplangrowth",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="targetplangrowth",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE found text;",
                    func="\n        FOR found IN SELECT p.state FROM sales_targetplan p\n                      WHERE p.id IN (SELECT t.plan_id FROM touched t) ORDER BY p.id FOR KEY SHARE\n        LOOP\n            IF found <> 'draft' THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'Only the draft of a plan can be changed. Begin an amendment.'; END IF;\n        END LOOP;\n    RETURN NULL;",
                    hash="68c27b9fc546ee0123b9c88f9855ab95d4d2935c",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_frozen_delete_4352d",
                    referencing="REFERENCING OLD TABLE AS touched ",
                    table="sales_targetplangrowth",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="TargetPlanHint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="hints",
                        to="sales.targetplan",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="target_hints",
                        to="partners.partner",
                    ),
                ),
                (
                    "product_line",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.productline",
                    ),
                ),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("history", "Last year"),
                            ("peers", "Median of the channel type"),
                            ("nothing", "No history"),
                        ],
                        max_length=10,
                    ),
                ),
                ("last_year", models.DecimalField(decimal_places=2, max_digits=20)),
                (
                    "own",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        editable=False,
                        max_digits=18,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="proposed from own history",
                    ),
                ),
                (
                    "own_low",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        editable=False,
                        max_digits=18,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="10th percentile",
                    ),
                ),
                (
                    "own_high",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        editable=False,
                        max_digits=18,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="90th percentile",
                    ),
                ),
                (
                    "peers",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        editable=False,
                        max_digits=18,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="proposed from peers",
                    ),
                ),
            ],
            options={
                "verbose_name": "hint of a target plan",
                "verbose_name_plural": "hints of target plans",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("plan", "partner", "product_line"),
                        name="target_hint_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="targetplanhint",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE found text;",
                    func="\n        FOR found IN SELECT p.state FROM sales_targetplan p\n                      WHERE p.id IN (SELECT t.plan_id FROM touched t) ORDER BY p.id FOR KEY SHARE\n        LOOP\n            IF found <> 'draft' THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'Only the draft of a plan can be changed. Begin an amendment.'; END IF;\n        END LOOP;\n    RETURN NULL;",
                    hash="deb9437da2d191e1e1d6d1d9abf032223211b458",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_frozen_insert_8a7c4",
                    referencing="REFERENCING NEW TABLE AS touched ",
                    table="sales_targetplanhint",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="targetplanhint",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE found text;",
                    func="\n        FOR found IN SELECT p.state FROM sales_targetplan p\n                      WHERE p.id IN (SELECT t.plan_id FROM touched t) ORDER BY p.id FOR KEY SHARE\n        LOOP\n            IF found <> 'draft' THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'Only the draft of a plan can be changed. Begin an amendment.'; END IF;\n        END LOOP;\n    \n        FOR found IN SELECT p.state FROM sales_targetplan p\n                      WHERE p.id IN (SELECT t.plan_id FROM changed t) ORDER BY p.id FOR KEY SHARE\n        LOOP\n            IF found <> 'draft' THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'Only the draft of a plan can be changed. Begin an amendment.'; END IF;\n        END LOOP;\n    RETURN NULL;",
                    hash="8ffef285cd6906207101727f6876e0b2bfbd19df",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_frozen_update_86487",
                    referencing="REFERENCING OLD TABLE AS touched  NEW TABLE AS changed ",
                    table="sales_targetplanhint",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="targetplanhint",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE found text;",
                    func="\n        FOR found IN SELECT p.state FROM sales_targetplan p\n                      WHERE p.id IN (SELECT t.plan_id FROM touched t) ORDER BY p.id FOR KEY SHARE\n        LOOP\n            IF found <> 'draft' THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'Only the draft of a plan can be changed. Begin an amendment.'; END IF;\n        END LOOP;\n    RETURN NULL;",
                    hash="9fae1ce054b0c3d749de3422077f4ba6087873cf",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_frozen_delete_c5e27",
                    referencing="REFERENCING OLD TABLE AS touched ",
                    table="sales_targetplanhint",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="TargetPlanLine",
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
                    "plan",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="sales.targetplan",
                        verbose_name="target plan",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="target_plan_lines",
                        to="partners.partner",
                        verbose_name="Partner",
                    ),
                ),
                (
                    "product_line",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.productline",
                        verbose_name="Product line",
                    ),
                ),
                ("month", models.DateField(help_text="Its first day.", verbose_name="Month")),
                (
                    "last_year",
                    models.DecimalField(
                        decimal_places=2,
                        editable=False,
                        max_digits=18,
                        null=True,
                        verbose_name="last year",
                    ),
                ),
                (
                    "top_down",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        editable=False,
                        max_digits=18,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="top-down",
                    ),
                ),
                (
                    "manager",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=18,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="entry of the manager",
                    ),
                ),
                (
                    "proposal",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=18,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="entry of the partner",
                    ),
                ),
                (
                    "amount",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=18,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="planned",
                    ),
                ),
                ("locked", models.BooleanField(default=False, verbose_name="locked")),
                ("comment", models.CharField(blank=True, max_length=200, verbose_name="comment")),
                ("step", models.UUIDField(editable=False, null=True)),
                (
                    "before",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        editable=False,
                        max_digits=18,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="",
                    ),
                ),
            ],
            options={
                "verbose_name": "line of a target plan",
                "verbose_name_plural": "lines of target plans",
                "ordering": ["plan", "partner", "product_line", "month"],
                "permissions": [
                    ("enter_targetplanline", "Can enter amounts from below"),
                    ("propose_targetplanline", "Can propose amounts of the own partner"),
                ],
                "indexes": [
                    models.Index(fields=["updated_at", "id"], name="target_line_changed"),
                    models.Index(fields=["plan", "product_line"], name="target_line_of_line"),
                    models.Index(
                        condition=models.Q(("amount__isnull", True)),
                        fields=["plan"],
                        name="target_line_no_amount",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("plan", "partner", "month", "product_line"),
                        name="target_line_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("month__day", 1)),
                        name="target_line_month",
                        violation_error_message="A month is given by its first day.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("top_down__isnull", True),
                            models.Q(("top_down__gte", 0), ("top_down__lt", 10000000000000000)),
                            _connector="OR",
                        ),
                        name="target_line_top_down",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("manager__isnull", True),
                            models.Q(("manager__gte", 0), ("manager__lt", 10000000000000000)),
                            _connector="OR",
                        ),
                        name="target_line_manager",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("proposal__isnull", True),
                            models.Q(("proposal__gte", 0), ("proposal__lt", 10000000000000000)),
                            _connector="OR",
                        ),
                        name="target_line_proposal",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount__isnull", True),
                            models.Q(("amount__gte", 0), ("amount__lt", 10000000000000000)),
                            _connector="OR",
                        ),
                        name="target_line_amount",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="targetplanline",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE found text;",
                    func="\n        FOR found IN SELECT p.state FROM sales_targetplan p\n                      WHERE p.id IN (SELECT t.plan_id FROM touched t) ORDER BY p.id FOR KEY SHARE\n        LOOP\n            IF found <> 'draft' THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'Only the draft of a plan can be changed. Begin an amendment.'; END IF;\n        END LOOP;\n    RETURN NULL;",
                    hash="bf4b020f1c19ab50b8a515ca9a9cfe857a3bb77b",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_frozen_insert_08b61",
                    referencing="REFERENCING NEW TABLE AS touched ",
                    table="sales_targetplanline",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="targetplanline",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE found text;",
                    func="\n        FOR found IN SELECT p.state FROM sales_targetplan p\n                      WHERE p.id IN (SELECT t.plan_id FROM touched t) ORDER BY p.id FOR KEY SHARE\n        LOOP\n            IF found <> 'draft' THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'Only the draft of a plan can be changed. Begin an amendment.'; END IF;\n        END LOOP;\n    \n        FOR found IN SELECT p.state FROM sales_targetplan p\n                      WHERE p.id IN (SELECT t.plan_id FROM changed t) ORDER BY p.id FOR KEY SHARE\n        LOOP\n            IF found <> 'draft' THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'Only the draft of a plan can be changed. Begin an amendment.'; END IF;\n        END LOOP;\n    RETURN NULL;",
                    hash="4640560302c5946bf3dfef586031b4b04f403f6a",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_frozen_update_3bb8c",
                    referencing="REFERENCING OLD TABLE AS touched  NEW TABLE AS changed ",
                    table="sales_targetplanline",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="targetplanline",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE found text;",
                    func="\n        FOR found IN SELECT p.state FROM sales_targetplan p\n                      WHERE p.id IN (SELECT t.plan_id FROM touched t) ORDER BY p.id FOR KEY SHARE\n        LOOP\n            IF found <> 'draft' THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'Only the draft of a plan can be changed. Begin an amendment.'; END IF;\n        END LOOP;\n    RETURN NULL;",
                    hash="bb8bd0f2df7288631a4a126398bc9bc6d06b53f7",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_frozen_delete_a8fd3",
                    referencing="REFERENCING OLD TABLE AS touched ",
                    table="sales_targetplanline",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="targetplanline",
            trigger=pgtrigger.compiler.Trigger(
                name="in_scope",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (\n            SELECT FROM touched t\n              JOIN sales_targetplan p ON p.id = t.plan_id\n              JOIN accounts_territory whole ON whole.id = p.territory_id\n              JOIN partners_partner q ON q.id = t.partner_id\n              JOIN accounts_territory part ON part.id = q.territory_id\n             WHERE part.path NOT LIKE whole.path || '%'\n                OR t.month < p.starts_on OR t.month >= p.starts_on + interval '1 year'\n                OR CASE WHEN t.product_line_id IS NULL\n                   THEN EXISTS (SELECT FROM sales_targetplan_product_lines l\n                                 WHERE l.targetplan_id = p.id)\n                   ELSE NOT EXISTS (SELECT FROM sales_targetplan_product_lines l\n                                     WHERE l.targetplan_id = p.id\n                                       AND l.productline_id = t.product_line_id) END)\n        THEN RAISE EXCEPTION 'frozen' USING ERRCODE = 'restrict_violation', HINT = 'The partner, the month or the product line is outside of the plan.'; END IF;\n        RETURN NULL;\n        ",
                    hash="529b90387db8487eee99bd1d7402c730459f48b9",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_in_scope_a94a5",
                    referencing="REFERENCING NEW TABLE AS touched ",
                    table="sales_targetplanline",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="targetplanline",
            trigger=pgtrigger.compiler.Trigger(
                name="leave_step",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.step IS NOT NULL AND NEW.step = OLD.step AND NEW.amount IS DISTINCT FROM OLD.amount)",
                    func="NEW.step = NULL; NEW.before = NULL; RETURN NEW;",
                    hash="8b8999238a9b2187e78abff583062aa727367845",
                    operation="UPDATE",
                    pgid="pgtrigger_leave_step_1eff6",
                    table="sales_targetplanline",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="targetplanline",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="0bee759ae4ebaaa0dae4430e22b9722f4604082c",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_e29ce",
                    table="sales_targetplanline",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="targetplanline",
            trigger=pgtrigger.compiler.Trigger(
                name="follow_partner",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.partner_id IS NOT NULL)",
                    declare="DECLARE kept bigint;",
                    func="\n        IF TG_OP = 'INSERT' OR NEW.partner_id IS DISTINCT FROM OLD.partner_id THEN\n            SELECT merged_into_id INTO kept FROM partners_partner\n             WHERE id = NEW.partner_id FOR KEY SHARE;\n            NEW.partner_id := coalesce(kept, NEW.partner_id);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="1a6a60d2795275273fceac1b81ba6c011eede169",
                    operation='INSERT OR UPDATE OF "partner_id"',
                    pgid="pgtrigger_follow_partner_b9d7d",
                    table="sales_targetplanline",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(rollup.FACTS + rollup.PRODUCTS + rollup.TRUNCATE, rollup.UNDO),
        migrations.RunSQL(plans.FACTS, migrations.RunSQL.noop),
        # Undoing an import deletes without the check of every row; the rollup is kept all the same.
        migrations.RunSQL(
            "ALTER TABLE sales_salesfact ENABLE ALWAYS TRIGGER sales_rollup_delete",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            reporting.ADJUSTMENTS + reporting.FIRST + reporting.REPORTS + reporting.TRIGGERS,
            reporting.UNDO,
        ),
    ]
