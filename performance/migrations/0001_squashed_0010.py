"""Measures, schemes and evaluations, and the scheme `quarterly-basic`, as of migration 0010: what a new database gets in one step."""

from decimal import Decimal
from importlib import import_module

import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import performance.models.items
import performance.models.schemes

seed = import_module("performance.migrations.0002_quarterly_basic").seed


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("performance", "0001_initial"),
        ("performance", "0002_quarterly_basic"),
        ("performance", "0003_changed_at"),
        ("performance", "0004_scheme_rules"),
        ("performance", "0005_measures"),
        ("performance", "0006_process"),
        ("performance", "0007_results"),
        ("performance", "0008_backtests"),
        ("performance", "0009_shards"),
        ("performance", "0010_appeals"),
    ]

    dependencies = [
        ("accounts", "__first__"),
        ("catalog", "0001_squashed_0004"),
        ("core", "0001_squashed_0011"),
        ("partners", "0001_squashed_0010"),
    ]

    operations = [
        migrations.CreateModel(
            name="Scheme",
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
                        max_length=40,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z][a-z0-9_-]{0,39}\\Z",
                                "Lower-case letters, digits, “-” and “_”, beginning with a letter.",
                            )
                        ],
                        verbose_name="code",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "name_en",
                    models.CharField(blank=True, max_length=100, verbose_name="English name"),
                ),
            ],
            options={
                "verbose_name": "scheme",
                "verbose_name_plural": "schemes",
                "ordering": ["code"],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="scheme",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="51d6f45fe7ef0b5cc46827037a27e70c7009dd83",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_6d8f1",
                    table="performance_scheme",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Deduction",
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deductions",
                        to="partners.partner",
                        verbose_name="partner",
                    ),
                ),
                (
                    "decided_on",
                    models.DateField(
                        help_text="The day of the case; it costs points in the period around it.",
                        verbose_name="counts on",
                    ),
                ),
                (
                    "points",
                    models.DecimalField(
                        decimal_places=2,
                        help_text="From 0.5 to 10.",
                        max_digits=4,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("0.5")),
                            django.core.validators.MaxValueValidator(Decimal("10")),
                        ],
                        verbose_name="points",
                    ),
                ),
                ("reason", models.TextField(verbose_name="reason")),
                (
                    "evidence",
                    models.FileField(
                        blank=True, upload_to="deductions/%Y/", verbose_name="evidence"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("decided", "Decided"),
                            ("rejected", "Rejected"),
                        ],
                        default="proposed",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "entered_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="entered by",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
            ],
            options={
                "verbose_name": "deduction",
                "verbose_name_plural": "deductions",
                "ordering": ["-decided_on", "-id"],
                "permissions": [("decide_deduction", "Can decide deductions that others entered")],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "decided")),
                        fields=["decided_on", "partner"],
                        name="deduction_counting",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("points__gte", Decimal("0.5")), ("points__lte", Decimal("10"))
                        ),
                        name="deduction_points",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="deduction_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_by", None), ("state", "proposed")),
                            models.Q(
                                models.Q(("state", "proposed"), _negated=True),
                                ("decided_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="deduction_decided_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by", None),
                            models.Q(("decided_by", models.F("entered_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="deduction_two_people",
                        violation_error_message="Who entered it cannot decide it.",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="deduction",
            trigger=pgtrigger.compiler.Trigger(
                name="decided_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.state <> 'proposed' AND (NEW.decided_on, NEW.points, NEW.reason, NEW.evidence, NEW.state, NEW.entered_by_id, NEW.decided_by_id) IS DISTINCT FROM (OLD.decided_on, OLD.points, OLD.reason, OLD.evidence, OLD.state, OLD.entered_by_id, OLD.decided_by_id))",
                    func="RAISE EXCEPTION 'a decided deduction cannot be changed' USING ERRCODE = 'restrict_violation';",
                    hash="8e3dba69355ba4306c192104a1fc081d8c0b548b",
                    operation="UPDATE",
                    pgid="pgtrigger_decided_update_7f231",
                    table="performance_deduction",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="deduction",
            trigger=pgtrigger.compiler.Trigger(
                name="decided_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.state <> 'proposed')",
                    func="RAISE EXCEPTION 'a decided deduction cannot be deleted' USING ERRCODE = 'restrict_violation';",
                    hash="301df3feb9a4ca8d8d078b9681d0526e3674f14c",
                    operation="DELETE",
                    pgid="pgtrigger_decided_delete_6d5dc",
                    table="performance_deduction",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="deduction",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="6f6a5070cd43e0b31074b8e34bb7e6e2b4b957b3",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_f95cd",
                    table="performance_deduction",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="deduction",
            trigger=pgtrigger.compiler.Trigger(
                name="follow_partner",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.partner_id IS NOT NULL)",
                    declare="DECLARE kept bigint;",
                    func="\n        IF TG_OP = 'INSERT' OR NEW.partner_id IS DISTINCT FROM OLD.partner_id THEN\n            SELECT merged_into_id INTO kept FROM partners_partner\n             WHERE id = NEW.partner_id FOR KEY SHARE;\n            NEW.partner_id := coalesce(kept, NEW.partner_id);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="6fabd6fd4ed9daccbcaa632b4af51aea2a319d21",
                    operation='INSERT OR UPDATE OF "partner_id"',
                    pgid="pgtrigger_follow_partner_d7460",
                    table="performance_deduction",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="DerivedMeasure",
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
                        help_text="By this other expressions and schemes name it.",
                        max_length=40,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z][a-z0-9_]{0,39}\\Z",
                                "Lower-case letters, digits and “_”, beginning with a letter.",
                            )
                        ],
                        verbose_name="code",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "name_en",
                    models.CharField(blank=True, max_length=100, verbose_name="English name"),
                ),
                ("definition", models.TextField(max_length=1000, verbose_name="definition")),
                (
                    "definition_en",
                    models.TextField(
                        blank=True, max_length=1000, verbose_name="English definition"
                    ),
                ),
                ("expression", models.CharField(max_length=500, verbose_name="expression")),
                (
                    "unit",
                    models.CharField(
                        choices=[
                            ("currency", "Amount"),
                            ("ratio", "Share, per cent"),
                            ("number", "Number"),
                            ("count", "Count"),
                            ("months", "Months"),
                            ("days", "Days"),
                        ],
                        default="ratio",
                        max_length=10,
                        verbose_name="unit",
                    ),
                ),
                ("higher", models.BooleanField(default=True, verbose_name="more is better")),
                (
                    "places",
                    models.PositiveSmallIntegerField(
                        default=6,
                        validators=[django.core.validators.MaxValueValidator(6)],
                        verbose_name="decimals",
                    ),
                ),
                (
                    "zero",
                    models.CharField(
                        choices=[
                            ("not_applicable", "The item does not apply."),
                            ("zero", "The value is 0."),
                        ],
                        default="not_applicable",
                        max_length=20,
                        verbose_name="when it would be divided by zero",
                    ),
                ),
                (
                    "span",
                    models.CharField(
                        choices=[
                            ("period", "The period"),
                            (
                                "quarter_to_date",
                                "From the first day of the quarter to the end of the period",
                            ),
                            (
                                "year_to_date",
                                "From the first day of the fiscal year to the end of the period",
                            ),
                        ],
                        default="period",
                        max_length=20,
                        verbose_name="read over",
                    ),
                ),
            ],
            options={
                "verbose_name": "derived measure",
                "verbose_name_plural": "derived measures",
                "ordering": ["code"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("code__regex", "^[a-z][a-z0-9_]*$")),
                        name="derived_measure_code",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("places__lte", 6)), name="derived_measure_places"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("unit__in", ("currency", "ratio", "number", "count", "months", "days"))
                        ),
                        name="derived_measure_unit",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("zero__in", ["not_applicable", "zero"])),
                        name="derived_measure_zero",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("span__in", ["period", "quarter_to_date", "year_to_date"])
                        ),
                        name="derived_measure_span",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="derivedmeasure",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN ((OLD.code, OLD.definition, OLD.expression, OLD.unit, OLD.higher, OLD.places, OLD.zero, OLD.span) IS DISTINCT FROM (NEW.code, NEW.definition, NEW.expression, NEW.unit, NEW.higher, NEW.places, NEW.zero, NEW.span))",
                    func="\n    IF EXISTS (\n    WITH RECURSIVE users(code) AS (\n        SELECT OLD.code::text\n        UNION\n        SELECT d.code::text FROM performance_derivedmeasure d\n        JOIN users u ON d.expression ~* ('\\m' || u.code || '\\M') AND d.code <> OLD.code)\n    SELECT FROM users u\n    JOIN performance_schemeitem i ON i.measure = u.code\n    JOIN performance_schemeversion v ON v.id = i.version_id\n WHERE v.state <> 'draft') THEN\n        RAISE EXCEPTION 'a measure of a published scheme version cannot be changed'\n            USING ERRCODE = 'restrict_violation';\n    END IF;\n RETURN NEW;",
                    hash="cf9dd15c209f8dc1cf3c23ab34111d8bd711dbb9",
                    operation="UPDATE",
                    pgid="pgtrigger_frozen_update_a52d7",
                    table="performance_derivedmeasure",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="derivedmeasure",
            trigger=pgtrigger.compiler.Trigger(
                name="needed_rename",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.code <> NEW.code)",
                    func="\n    IF EXISTS (\n    WITH RECURSIVE users(code) AS (\n        SELECT OLD.code::text\n        UNION\n        SELECT d.code::text FROM performance_derivedmeasure d\n        JOIN users u ON d.expression ~* ('\\m' || u.code || '\\M') AND d.code <> OLD.code)\n    SELECT FROM users u\n    JOIN performance_schemeitem i ON i.measure = u.code\n    JOIN performance_schemeversion v ON v.id = i.version_id\n) OR EXISTS (\n        SELECT FROM performance_derivedmeasure d\n        WHERE d.code <> OLD.code AND d.expression ~* ('\\m' || OLD.code || '\\M'))\n    THEN\n        RAISE EXCEPTION 'a measure that is used keeps its code'\n            USING ERRCODE = 'foreign_key_violation';\n    END IF;\n RETURN NEW;",
                    hash="401e4f388910132514cf05f75a00d025712592fc",
                    operation="UPDATE",
                    pgid="pgtrigger_needed_rename_0ce96",
                    table="performance_derivedmeasure",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="derivedmeasure",
            trigger=pgtrigger.compiler.Trigger(
                name="needed_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n    IF EXISTS (\n    WITH RECURSIVE users(code) AS (\n        SELECT OLD.code::text\n        UNION\n        SELECT d.code::text FROM performance_derivedmeasure d\n        JOIN users u ON d.expression ~* ('\\m' || u.code || '\\M') AND d.code <> OLD.code)\n    SELECT FROM users u\n    JOIN performance_schemeitem i ON i.measure = u.code\n    JOIN performance_schemeversion v ON v.id = i.version_id\n WHERE v.state <> 'draft') THEN\n        RAISE EXCEPTION 'a measure of a published scheme version cannot be changed'\n            USING ERRCODE = 'restrict_violation';\n    END IF;\n \n    IF EXISTS (\n    WITH RECURSIVE users(code) AS (\n        SELECT OLD.code::text\n        UNION\n        SELECT d.code::text FROM performance_derivedmeasure d\n        JOIN users u ON d.expression ~* ('\\m' || u.code || '\\M') AND d.code <> OLD.code)\n    SELECT FROM users u\n    JOIN performance_schemeitem i ON i.measure = u.code\n    JOIN performance_schemeversion v ON v.id = i.version_id\n) OR EXISTS (\n        SELECT FROM performance_derivedmeasure d\n        WHERE d.code <> OLD.code AND d.expression ~* ('\\m' || OLD.code || '\\M'))\n    THEN\n        RAISE EXCEPTION 'a measure that is used keeps its code'\n            USING ERRCODE = 'foreign_key_violation';\n    END IF;\n RETURN OLD;",
                    hash="ff3254428d55fe5adc0d8d2eaa91b98d71463fba",
                    operation="DELETE",
                    pgid="pgtrigger_needed_delete_669c9",
                    table="performance_derivedmeasure",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="derivedmeasure",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="4a89a0c9986e2a485cc5e06788088ce2223d8b87",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_cf3ff",
                    table="performance_derivedmeasure",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="EvaluationSchedule",
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
                    "scheme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="schedules",
                        to="performance.scheme",
                        verbose_name="scheme",
                    ),
                ),
                (
                    "every",
                    models.CharField(
                        choices=[
                            ("month", "Monthly"),
                            ("quarter", "Quarterly"),
                            ("year", "Annual"),
                        ],
                        default="quarter",
                        max_length=10,
                        verbose_name="every",
                    ),
                ),
                (
                    "days_after",
                    models.PositiveSmallIntegerField(
                        default=5,
                        validators=[django.core.validators.MaxValueValidator(90)],
                        verbose_name="days after the end",
                    ),
                ),
                ("active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "last_period",
                    models.CharField(
                        blank=True, editable=False, max_length=10, verbose_name="last started"
                    ),
                ),
            ],
            options={
                "verbose_name": "evaluation schedule",
                "verbose_name_plural": "evaluation schedules",
                "ordering": ["scheme", "every"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("scheme", "every"),
                        name="schedule_once",
                        violation_error_message="This scheme has such a schedule already.",
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evaluationschedule",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="815b7bd4bb814b150bc300f64b35636154f4d2a1",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_8864d",
                    table="performance_evaluationschedule",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="SchemeVersion",
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
                    "scheme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="performance.scheme",
                        verbose_name="scheme",
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("published", "Published"),
                            ("retired", "Retired"),
                        ],
                        default="draft",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "scope",
                    models.JSONField(
                        default=performance.models.schemes.default_scope,
                        help_text="Which partners: states, channel types, levels, territories with all below.",
                        verbose_name="scope",
                    ),
                ),
                ("note", models.TextField(blank=True, verbose_name="note")),
                (
                    "deduction_cap",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal("0"),
                        help_text="Points that decided deductions of the period may cost. 0: none count.",
                        max_digits=5,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="most that deductions take away",
                    ),
                ),
                (
                    "grace",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="How many evaluations in a row too low for the level are forgiven.",
                        validators=[django.core.validators.MaxValueValidator(12)],
                        verbose_name="grace",
                    ),
                ),
                (
                    "most_steps_up",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Empty: any number.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="most levels up at once",
                    ),
                ),
                (
                    "most_steps_down",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Empty: any number.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="most levels down at once",
                    ),
                ),
                (
                    "rating_days",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="After the end of the period. 0: no ratings are collected.",
                        validators=[django.core.validators.MaxValueValidator(180)],
                        verbose_name="days for ratings",
                    ),
                ),
                (
                    "review_days",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="After the end of the period. 0: published without review.",
                        validators=[django.core.validators.MaxValueValidator(180)],
                        verbose_name="days for the review",
                    ),
                ),
                (
                    "appeal_days",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="After publishing. 0: no appeals.",
                        validators=[django.core.validators.MaxValueValidator(180)],
                        verbose_name="days for appeals",
                    ),
                ),
                (
                    "answer_days",
                    models.PositiveSmallIntegerField(
                        default=10,
                        help_text="After an appeal was filed.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(180),
                        ],
                        verbose_name="days for the answer to an appeal",
                    ),
                ),
            ],
            options={
                "verbose_name": "scheme version",
                "verbose_name_plural": "scheme versions",
                "ordering": ["scheme", "-number"],
                "permissions": [
                    ("publish_schemeversion", "Can publish and retire scheme versions")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("scheme", "number"), name="scheme_version_number"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "published")),
                        fields=("scheme",),
                        name="scheme_one_published",
                        violation_error_message="Another version of this scheme is published.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("deduction_cap__gte", 0)),
                        name="scheme_version_deduction_cap",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("most_steps_up", None), ("most_steps_up__gte", 1), _connector="OR"
                            ),
                            models.Q(
                                ("most_steps_down", None),
                                ("most_steps_down__gte", 1),
                                _connector="OR",
                            ),
                        ),
                        name="scheme_version_steps",
                        violation_error_message="At least one level at once, or any number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("answer_days__gte", 1)),
                        name="scheme_version_answer_days",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemeversion",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.state <> 'draft' AND (NEW.scheme_id, NEW.number, NEW.scope, NEW.deduction_cap, NEW.grace, NEW.most_steps_up, NEW.most_steps_down, NEW.rating_days, NEW.review_days, NEW.appeal_days, NEW.answer_days) IS DISTINCT FROM (OLD.scheme_id, OLD.number, OLD.scope, OLD.deduction_cap, OLD.grace, OLD.most_steps_up, OLD.most_steps_down, OLD.rating_days, OLD.review_days, OLD.appeal_days, OLD.answer_days) OR OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (('draft', 'published'), ('published', 'retired')))",
                    func="RAISE EXCEPTION 'a published scheme version cannot be changed' USING ERRCODE = 'restrict_violation';",
                    hash="34345b866db2f679b88b390f61812576169a0e75",
                    operation="UPDATE",
                    pgid="pgtrigger_frozen_update_69eff",
                    table="performance_schemeversion",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemeversion",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.state <> 'draft')",
                    func="RAISE EXCEPTION 'a published scheme version cannot be deleted' USING ERRCODE = 'restrict_violation';",
                    hash="fa64936c51249e7e1a8dc6250eccfbf333b1d697",
                    operation="DELETE",
                    pgid="pgtrigger_frozen_delete_936e1",
                    table="performance_schemeversion",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemeversion",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="fa576bf313cbcf3bbfcf969f7eb00569462bb299",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_b4249",
                    table="performance_schemeversion",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Evaluation",
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
                    "scheme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="evaluations",
                        to="performance.scheme",
                        verbose_name="scheme",
                    ),
                ),
                (
                    "scheme_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="evaluations",
                        to="performance.schemeversion",
                        verbose_name="version",
                    ),
                ),
                ("period_code", models.CharField(max_length=10, verbose_name="period")),
                ("starts_on", models.DateField(verbose_name="from")),
                ("ends_before", models.DateField(verbose_name="to (exclusive)")),
                ("revision", models.PositiveSmallIntegerField(default=1, verbose_name="revision")),
                (
                    "reason",
                    models.TextField(
                        blank=True,
                        help_text="Why there is another revision after the published.",
                        verbose_name="reason",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("computed", "Computed"),
                            ("rating", "Ratings"),
                            ("review", "In review"),
                            ("published", "Published"),
                            ("failed", "Failed"),
                        ],
                        default="running",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="core.job",
                        verbose_name="job",
                    ),
                ),
                (
                    "dispatched_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="started at"
                    ),
                ),
                ("as_of", models.DateField(blank=True, null=True, verbose_name="as of")),
                (
                    "computed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="computed at"),
                ),
                (
                    "rating_before",
                    models.DateField(blank=True, null=True, verbose_name="ratings before"),
                ),
                (
                    "ratings_closed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="ratings closed at"),
                ),
                (
                    "review_before",
                    models.DateField(blank=True, null=True, verbose_name="review before"),
                ),
                (
                    "published_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="published at"),
                ),
                (
                    "published_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="published by",
                    ),
                ),
                (
                    "appeal_before",
                    models.DateField(blank=True, null=True, verbose_name="appeals before"),
                ),
                ("partner_count", models.PositiveIntegerField(default=0, verbose_name="partners")),
                ("digest", models.CharField(blank=True, max_length=64, verbose_name="digest")),
                ("watermark", models.JSONField(blank=True, default=dict)),
                ("peers", models.JSONField(blank=True, default=dict)),
            ],
            options={
                "verbose_name": "evaluation",
                "verbose_name_plural": "evaluations",
                "ordering": ["-starts_on", "scheme", "-revision"],
                "permissions": [("publish_evaluation", "Can publish evaluations")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("scheme", "period_code", "revision"), name="evaluation_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("starts_on__lt", models.F("ends_before"))),
                        name="evaluation_period",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state__in", ["computed", "rating", "review", "published"]),
                                _negated=True,
                            ),
                            models.Q(("digest", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="evaluation_has_digest",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "rating"), _negated=True),
                            ("rating_before__isnull", False),
                            _connector="OR",
                        ),
                        name="evaluation_rating_ends",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "review"), _negated=True),
                            ("review_before__isnull", False),
                            _connector="OR",
                        ),
                        name="evaluation_review_ends",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evaluation",
            trigger=pgtrigger.compiler.Trigger(
                name="published",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.\"state\" = 'published')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="58c8fb5468644476d5067fe89971ed7d7ce3e3e3",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_published_d7f2c",
                    table="performance_evaluation",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evaluation",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="3f0dcba49ef33141fa6d23534e2f42f4a4698b31",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_98154",
                    table="performance_evaluation",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="SchemeItem",
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
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="performance.schemeversion",
                        verbose_name="version",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="position")),
                (
                    "code",
                    models.CharField(
                        max_length=40,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z][a-z0-9_-]{0,39}\\Z",
                                "Lower-case letters, digits, “-” and “_”, beginning with a letter.",
                            )
                        ],
                        verbose_name="code",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=100, verbose_name="name")),
                (
                    "name_en",
                    models.CharField(blank=True, max_length=100, verbose_name="English name"),
                ),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("measure", "Measure"),
                            ("rating", "Rating by people"),
                            ("scores", "Results of another scheme"),
                        ],
                        default="measure",
                        max_length=8,
                        verbose_name="based on",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("weighted", "Part of the 100"), ("bonus", "Bonus on top")],
                        default="weighted",
                        max_length=8,
                        verbose_name="role",
                    ),
                ),
                ("measure", models.CharField(blank=True, max_length=40, verbose_name="measure")),
                (
                    "kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("sell_in", "Sell-in"),
                            ("sell_through", "Sell-through"),
                            ("sell_out", "Sell-out"),
                        ],
                        help_text="Empty: the measure’s own, else sell-in.",
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                (
                    "product_line",
                    models.ForeignKey(
                        blank=True,
                        help_text="Only this line and all below it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.productline",
                        verbose_name="product line",
                    ),
                ),
                (
                    "weight",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=5,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="weight",
                    ),
                ),
                (
                    "target_source",
                    models.CharField(
                        choices=[
                            ("none", "No target"),
                            ("fixed", "Fixed amount"),
                            ("peer_median", "Median of the peers"),
                        ],
                        default="none",
                        max_length=12,
                        verbose_name="target",
                    ),
                ),
                (
                    "target",
                    models.DecimalField(
                        blank=True,
                        decimal_places=4,
                        max_digits=18,
                        null=True,
                        verbose_name="fixed amount",
                    ),
                ),
                ("curve", models.JSONField(verbose_name="curve")),
                (
                    "cap",
                    models.DecimalField(
                        decimal_places=2, default=Decimal("100"), max_digits=5, verbose_name="cap"
                    ),
                ),
                (
                    "gate",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="A value on the wrong side of it scores 0.",
                        max_digits=18,
                        null=True,
                        verbose_name="gate",
                    ),
                ),
                (
                    "missing",
                    models.CharField(
                        choices=[
                            ("renormalise", "Share its weight among the others"),
                            ("zero", "Count as 0 points"),
                        ],
                        default="renormalise",
                        max_length=12,
                        verbose_name="when it does not apply",
                    ),
                ),
                ("anchors", models.JSONField(blank=True, default=dict, verbose_name="anchors")),
                (
                    "raters",
                    models.PositiveSmallIntegerField(
                        default=2,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(20),
                        ],
                        verbose_name="least number of raters",
                    ),
                ),
                (
                    "source_scheme",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="performance.scheme",
                        verbose_name="other scheme",
                    ),
                ),
                (
                    "source_items",
                    models.JSONField(blank=True, default=list, verbose_name="its items"),
                ),
                (
                    "minimum",
                    models.DecimalField(
                        blank=True,
                        decimal_places=4,
                        help_text="Points without which there is no level, whatever the total.",
                        max_digits=7,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="minimum",
                    ),
                ),
                (
                    "minimum_rule",
                    models.CharField(
                        choices=[("at_least", "at least"), ("above", "more than")],
                        default="at_least",
                        max_length=8,
                        verbose_name="rule of the minimum",
                    ),
                ),
            ],
            options={
                "verbose_name": "scheme item",
                "verbose_name_plural": "scheme items",
                "ordering": ["version", "position", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("basis", "measure"), models.Q(("measure", ""), _negated=True)
                            ),
                            models.Q(
                                models.Q(("basis", "measure"), _negated=True),
                                ("kind", ""),
                                ("measure", ""),
                                ("product_line", None),
                            ),
                            _connector="OR",
                        ),
                        name="scheme_item_measure",
                        violation_error_message="Choose a measure where the item is based on one.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("basis", "scores"), ("source_scheme__isnull", False)),
                            models.Q(
                                models.Q(("basis", "scores"), _negated=True),
                                ("source_scheme", None),
                            ),
                            _connector="OR",
                        ),
                        name="scheme_item_source",
                        violation_error_message="Choose the other scheme whose results count.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("basis", "rating"), _negated=True),
                            models.Q(("name", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="scheme_item_name",
                        violation_error_message="What people rate needs a name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("raters__gte", 1)), name="scheme_item_raters"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("minimum", None), ("minimum__gte", 0), _connector="OR"),
                        name="scheme_item_minimum",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemeitem",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_schemeversion p ON p.id = t.version_id\n                   WHERE p.state IN ('published', 'retired')) THEN\n            RAISE EXCEPTION 'items of a published scheme version cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="d790aad93dae1ceaed1e33412eb76a4b7b1882ec",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_frozen_insert_04d24",
                    referencing="REFERENCING NEW TABLE AS touched ",
                    table="performance_schemeitem",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemeitem",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_schemeversion p ON p.id = t.version_id\n                   WHERE p.state IN ('published', 'retired')) THEN\n            RAISE EXCEPTION 'items of a published scheme version cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    \n        IF EXISTS (SELECT 1 FROM changed t JOIN performance_schemeversion p ON p.id = t.version_id\n                   WHERE p.state IN ('published', 'retired')) THEN\n            RAISE EXCEPTION 'items of a published scheme version cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="6326878b3520835a5cd62a920fe9cc0f073bc8ed",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_frozen_update_fefcc",
                    referencing="REFERENCING OLD TABLE AS touched  NEW TABLE AS changed ",
                    table="performance_schemeitem",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemeitem",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_schemeversion p ON p.id = t.version_id\n                   WHERE p.state IN ('published', 'retired')) THEN\n            RAISE EXCEPTION 'items of a published scheme version cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="04e1b8600942b729299fcd4355b05e92487ad9bb",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_frozen_delete_fbf73",
                    referencing="REFERENCING OLD TABLE AS touched ",
                    table="performance_schemeitem",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemeitem",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="74d83a38b169271b27ddfc41e24f4747a6cb5ced",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_25eac",
                    table="performance_schemeitem",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="SchemeLevel",
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
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="levels",
                        to="performance.schemeversion",
                        verbose_name="version",
                    ),
                ),
                (
                    "level",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.level",
                        verbose_name="level",
                    ),
                ),
                (
                    "min_total",
                    models.DecimalField(
                        decimal_places=2, max_digits=6, verbose_name="from a total of"
                    ),
                ),
                (
                    "keep_total",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="Who has the level keeps it from this total on. Empty: as to reach it.",
                        max_digits=6,
                        null=True,
                        verbose_name="kept from",
                    ),
                ),
            ],
            options={
                "verbose_name": "scheme level",
                "verbose_name_plural": "scheme levels",
                "ordering": ["version", "-min_total"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("keep_total", None),
                            ("keep_total__lte", models.F("min_total")),
                            _connector="OR",
                        ),
                        name="scheme_level_keep",
                        violation_error_message="A level is kept by what reaches it, or by less.",
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemelevel",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_schemeversion p ON p.id = t.version_id\n                   WHERE p.state IN ('published', 'retired')) THEN\n            RAISE EXCEPTION 'levels of a published scheme version cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="3a4f2c68ac3c22b2345538a71f85882222e72b63",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_frozen_insert_a5cc4",
                    referencing="REFERENCING NEW TABLE AS touched ",
                    table="performance_schemelevel",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemelevel",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_schemeversion p ON p.id = t.version_id\n                   WHERE p.state IN ('published', 'retired')) THEN\n            RAISE EXCEPTION 'levels of a published scheme version cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    \n        IF EXISTS (SELECT 1 FROM changed t JOIN performance_schemeversion p ON p.id = t.version_id\n                   WHERE p.state IN ('published', 'retired')) THEN\n            RAISE EXCEPTION 'levels of a published scheme version cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="13bc582e3c0a49ee9cedbbb9d85cc2a09a575bd3",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_frozen_update_74fd4",
                    referencing="REFERENCING OLD TABLE AS touched  NEW TABLE AS changed ",
                    table="performance_schemelevel",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemelevel",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_schemeversion p ON p.id = t.version_id\n                   WHERE p.state IN ('published', 'retired')) THEN\n            RAISE EXCEPTION 'levels of a published scheme version cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="bdd983429e2c06c26162c2569aa01172814f2b84",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_frozen_delete_36e6b",
                    referencing="REFERENCING OLD TABLE AS touched ",
                    table="performance_schemelevel",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemelevel",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="a1ca902761ae102bd169446430a76af183372035",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_d4fb2",
                    table="performance_schemelevel",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="SchemeVeto",
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
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="vetoes",
                        to="performance.schemeversion",
                        verbose_name="version",
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        max_length=40,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z][a-z0-9_-]{0,39}\\Z",
                                "Lower-case letters, digits, “-” and “_”, beginning with a letter.",
                            )
                        ],
                        verbose_name="code",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "name_en",
                    models.CharField(blank=True, max_length=100, verbose_name="English name"),
                ),
                ("measure", models.CharField(max_length=40, verbose_name="measure")),
                (
                    "kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("sell_in", "Sell-in"),
                            ("sell_through", "Sell-through"),
                            ("sell_out", "Sell-out"),
                        ],
                        help_text="Empty: the measure’s own, else sell-in.",
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                (
                    "product_line",
                    models.ForeignKey(
                        blank=True,
                        help_text="Only this line and all below it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.productline",
                        verbose_name="product line",
                    ),
                ),
                (
                    "side",
                    models.CharField(
                        choices=[("below", "below"), ("above", "above")],
                        max_length=5,
                        verbose_name="when the value is",
                    ),
                ),
                (
                    "bound",
                    models.DecimalField(decimal_places=6, max_digits=18, verbose_name="bound"),
                ),
                (
                    "effect",
                    models.CharField(
                        choices=[("no_level", "No level"), ("zero", "Total 0")],
                        default="no_level",
                        max_length=8,
                        verbose_name="effect",
                    ),
                ),
            ],
            options={
                "verbose_name": "veto",
                "verbose_name_plural": "vetoes",
                "ordering": ["version", "code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("version", "code"),
                        name="scheme_veto_code",
                        violation_error_message="This version has a veto with that code already.",
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemeveto",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_schemeversion p ON p.id = t.version_id\n                   WHERE p.state IN ('published', 'retired')) THEN\n            RAISE EXCEPTION 'vetoes of a published scheme version cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="e4ded2f4a2905c2f9ecda5a07e65d84bf3ffc576",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_frozen_insert_eb239",
                    referencing="REFERENCING NEW TABLE AS touched ",
                    table="performance_schemeveto",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemeveto",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_schemeversion p ON p.id = t.version_id\n                   WHERE p.state IN ('published', 'retired')) THEN\n            RAISE EXCEPTION 'vetoes of a published scheme version cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    \n        IF EXISTS (SELECT 1 FROM changed t JOIN performance_schemeversion p ON p.id = t.version_id\n                   WHERE p.state IN ('published', 'retired')) THEN\n            RAISE EXCEPTION 'vetoes of a published scheme version cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="183a014a2ccf44437e6eb8382fa31ba903f6d8c1",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_frozen_update_57749",
                    referencing="REFERENCING OLD TABLE AS touched  NEW TABLE AS changed ",
                    table="performance_schemeveto",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemeveto",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_schemeversion p ON p.id = t.version_id\n                   WHERE p.state IN ('published', 'retired')) THEN\n            RAISE EXCEPTION 'vetoes of a published scheme version cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="57c522bb6796746408e9a0a0d361bbee719aaf95",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_frozen_delete_9d92d",
                    referencing="REFERENCING OLD TABLE AS touched ",
                    table="performance_schemeveto",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schemeveto",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="9534440ea1bf4e7c6a8d29ee1f110169d590b057",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_8f9a2",
                    table="performance_schemeveto",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="BacktestReport",
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
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="backtests",
                        to="performance.schemeversion",
                        verbose_name="draft",
                    ),
                ),
                (
                    "against",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="performance.schemeversion",
                        verbose_name="beside",
                    ),
                ),
                ("first_period", models.CharField(max_length=10, verbose_name="first period")),
                ("last_period", models.CharField(max_length=10, verbose_name="last period")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("done", "Done"),
                            ("attached", "Attached"),
                        ],
                        default="running",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="core.job",
                        verbose_name="job",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "computed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="computed at"),
                ),
                (
                    "attached_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="attached at"),
                ),
                ("partner_count", models.PositiveIntegerField(default=0, verbose_name="partners")),
                ("digest", models.CharField(blank=True, max_length=64, verbose_name="digest")),
                (
                    "wording",
                    models.CharField(blank=True, max_length=64, verbose_name="digest of the draft"),
                ),
                ("definitions", models.JSONField(blank=True, default=dict)),
                ("result", models.JSONField(blank=True, default=dict, verbose_name="result")),
            ],
            options={
                "verbose_name": "backtest",
                "verbose_name_plural": "backtests",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("version", models.F("against")), _negated=True),
                        name="backtest_of_two_versions",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("computed_at", None), ("digest", ""), ("state", "running")),
                            models.Q(
                                models.Q(("state", "running"), _negated=True),
                                models.Q(("digest", ""), _negated=True),
                                ("computed_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="backtest_known_has_digest",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("attached_at__isnull", False), ("state", "attached")),
                            models.Q(
                                models.Q(("state", "attached"), _negated=True),
                                ("attached_at", None),
                            ),
                            _connector="OR",
                        ),
                        name="backtest_attached_has_time",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "attached")),
                        fields=("version",),
                        name="backtest_attached_once",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="backtestreport",
            trigger=pgtrigger.compiler.Trigger(
                name="attached",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.\"state\" = 'attached')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="9ba27540f572ba4409a2ed41db614d0a2ffcfb7c",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_attached_b13f8",
                    table="performance_backtestreport",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="backtestreport",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="9a5620920158fd6399789e8cb53ccbfb010585f4",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_9268c",
                    table="performance_backtestreport",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="EvaluationShard",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "evaluation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="shards",
                        to="performance.evaluation",
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("snapshot", models.CharField(max_length=100)),
                ("benchmarks", models.JSONField(default=dict)),
                ("first", models.BigIntegerField()),
                ("last", models.BigIntegerField()),
                ("result", models.TextField(null=True)),
            ],
            options={
                "verbose_name": "part of an evaluation",
                "verbose_name_plural": "parts of an evaluation",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("evaluation", "number"), name="evaluation_shard_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LateCheck",
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
                    "evaluation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="late_check",
                        to="performance.evaluation",
                        verbose_name="evaluation",
                    ),
                ),
                ("checked_at", models.DateTimeField(verbose_name="checked at")),
                (
                    "checked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="checked by",
                    ),
                ),
                ("lines", models.PositiveIntegerField(verbose_name="late lines")),
                (
                    "net",
                    models.DecimalField(decimal_places=4, max_digits=20, verbose_name="late net"),
                ),
                ("changed", models.PositiveIntegerField(verbose_name="scores that would change")),
            ],
            options={
                "verbose_name": "check for late facts",
                "verbose_name_plural": "checks for late facts",
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="latecheck",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="de388a9eb95eb86402dd93f41cca9ed0fd5f01f9",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_ade47",
                    table="performance_latecheck",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Rater",
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
                    "evaluation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="raters",
                        to="performance.evaluation",
                        verbose_name="evaluation",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="rater",
                    ),
                ),
                (
                    "reminded_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="reminded at"),
                ),
            ],
            options={
                "verbose_name": "rater",
                "verbose_name_plural": "raters",
                "ordering": ["evaluation", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("evaluation", "user"),
                        name="rater_once",
                        violation_error_message="This person has been asked already.",
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rater",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="6d89f60ac819dc1989c06f53793d5688706c53ba",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_b12ef",
                    table="performance_rater",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Rating",
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
                    "evaluation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ratings",
                        to="performance.evaluation",
                        verbose_name="evaluation",
                    ),
                ),
                ("item_code", models.CharField(max_length=40, verbose_name="item")),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ratings",
                        to="partners.partner",
                        verbose_name="partner",
                    ),
                ),
                (
                    "rater",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="rater",
                    ),
                ),
                (
                    "mark",
                    models.PositiveSmallIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="mark",
                    ),
                ),
                ("evidence", models.TextField(blank=True, verbose_name="evidence")),
                (
                    "file",
                    models.FileField(blank=True, upload_to="ratings/%Y/", verbose_name="file"),
                ),
            ],
            options={
                "verbose_name": "rating",
                "verbose_name_plural": "ratings",
                "ordering": ["evaluation", "item_code", "partner", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("evaluation", "item_code", "partner", "rater"),
                        name="rating_once",
                        violation_error_message="This person has rated that already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("mark__gte", 1), ("mark__lte", 5)), name="rating_mark"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("mark__gt", 1), ("mark__lt", 5)),
                            models.Q(("evidence", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="rating_evidence",
                        violation_error_message="The lowest and the highest mark need evidence.",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rating",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_evaluation p ON p.id = t.evaluation_id\n                   WHERE p.state IN ('published')) THEN\n            RAISE EXCEPTION 'ratings of a published evaluation cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="20f32a69f8951269a92d9ca866a933f9b1eea8a8",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_frozen_insert_4f97f",
                    referencing="REFERENCING NEW TABLE AS touched ",
                    table="performance_rating",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rating",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_evaluation p ON p.id = t.evaluation_id\n                   WHERE p.state IN ('published')) THEN\n            RAISE EXCEPTION 'ratings of a published evaluation cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    \n        IF EXISTS (SELECT 1 FROM changed t JOIN performance_evaluation p ON p.id = t.evaluation_id\n                   WHERE p.state IN ('published')) THEN\n            RAISE EXCEPTION 'ratings of a published evaluation cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="e320e9ea7ce867740cc0c8f448081af65e452e41",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_frozen_update_fe120",
                    referencing="REFERENCING OLD TABLE AS touched  NEW TABLE AS changed ",
                    table="performance_rating",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rating",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_evaluation p ON p.id = t.evaluation_id\n                   WHERE p.state IN ('published')) THEN\n            RAISE EXCEPTION 'ratings of a published evaluation cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="60fa26365191bee4789196588bc116860333376a",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_frozen_delete_a4ecf",
                    referencing="REFERENCING OLD TABLE AS touched ",
                    table="performance_rating",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rating",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="43dfeeea77c809e48adf988e98d68ae777cb28b9",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_dc028",
                    table="performance_rating",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rating",
            trigger=pgtrigger.compiler.Trigger(
                name="follow_partner",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.partner_id IS NOT NULL)",
                    declare="DECLARE kept bigint;",
                    func="\n        IF TG_OP = 'INSERT' OR NEW.partner_id IS DISTINCT FROM OLD.partner_id THEN\n            SELECT merged_into_id INTO kept FROM partners_partner\n             WHERE id = NEW.partner_id FOR KEY SHARE;\n            NEW.partner_id := coalesce(kept, NEW.partner_id);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="7ab5817604c50fb03781e6faadf974d2c177ee2d",
                    operation='INSERT OR UPDATE OF "partner_id"',
                    pgid="pgtrigger_follow_partner_67e02",
                    table="performance_rating",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Score",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "evaluation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="scores",
                        to="performance.evaluation",
                        verbose_name="evaluation",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scores",
                        to="partners.partner",
                        verbose_name="partner",
                    ),
                ),
                (
                    "total",
                    models.DecimalField(
                        decimal_places=2, max_digits=6, null=True, verbose_name="total"
                    ),
                ),
                ("rank", models.PositiveIntegerField(null=True, verbose_name="rank")),
                (
                    "level",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.level",
                        verbose_name="level",
                    ),
                ),
                ("items", performance.models.items.ItemsField(verbose_name="items")),
                (
                    "base",
                    models.DecimalField(
                        decimal_places=2, max_digits=6, null=True, verbose_name="base"
                    ),
                ),
                (
                    "bonus",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=2,
                        default=Decimal("0"),
                        max_digits=6,
                        verbose_name="bonus",
                    ),
                ),
                (
                    "deducted",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=2,
                        default=Decimal("0"),
                        max_digits=6,
                        verbose_name="deducted",
                    ),
                ),
                (
                    "vetoes",
                    models.JSONField(
                        db_default=models.Value([], models.JSONField()),
                        default=list,
                        verbose_name="vetoes",
                    ),
                ),
                (
                    "held",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "By its total"),
                            ("minimum", "A minimum is not reached"),
                            ("veto", "Veto"),
                            ("keep", "Kept"),
                            ("grace", "Kept in grace"),
                            ("steps", "Limited steps"),
                            ("review", "Decided in review"),
                        ],
                        db_default="",
                        default="",
                        max_length=8,
                        verbose_name="level held by",
                    ),
                ),
                (
                    "level_before",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.level",
                        verbose_name="level before",
                    ),
                ),
                (
                    "corrected",
                    models.JSONField(
                        db_default=models.Value([], models.JSONField()),
                        default=list,
                        verbose_name="changed in review",
                    ),
                ),
            ],
            options={
                "verbose_name": "score",
                "verbose_name_plural": "scores",
                "ordering": ["evaluation", models.OrderBy(models.F("rank"), nulls_last=True), "id"],
                "indexes": [
                    models.Index(fields=["evaluation", "rank", "id"], name="score_ranking")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("evaluation", "partner"), name="score_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("bonus__gte", 0),
                            ("deducted__gte", 0),
                            models.Q(("total", None), ("total__gte", 0), _connector="OR"),
                            models.Q(("base", None), ("base__gte", 0), _connector="OR"),
                        ),
                        name="score_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "held__in",
                                ["", "minimum", "veto", "keep", "grace", "steps", "review"],
                            )
                        ),
                        name="score_held",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="score",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_evaluation p ON p.id = t.evaluation_id\n                   WHERE p.state IN ('published')) THEN\n            RAISE EXCEPTION 'scores of a published evaluation cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="c25b1349801678a2c7fed00ed6daa14c97bb241b",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_frozen_insert_33d84",
                    referencing="REFERENCING NEW TABLE AS touched ",
                    table="performance_score",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="score",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_evaluation p ON p.id = t.evaluation_id\n                   WHERE p.state IN ('published')) THEN\n            RAISE EXCEPTION 'scores of a published evaluation cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    \n        IF EXISTS (SELECT 1 FROM changed t JOIN performance_evaluation p ON p.id = t.evaluation_id\n                   WHERE p.state IN ('published')) THEN\n            RAISE EXCEPTION 'scores of a published evaluation cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="bb0175e7ea3ec5cbdb0f89e1cd098d991bd3bcea",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_frozen_update_35a18",
                    referencing="REFERENCING OLD TABLE AS touched  NEW TABLE AS changed ",
                    table="performance_score",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="score",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_evaluation p ON p.id = t.evaluation_id\n                   WHERE p.state IN ('published')) THEN\n            RAISE EXCEPTION 'scores of a published evaluation cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="362decfc470e6b701ce883b67196518e664d12ca",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_frozen_delete_dc97d",
                    referencing="REFERENCING OLD TABLE AS touched ",
                    table="performance_score",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ScoreChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "evaluation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="score_changes",
                        to="performance.evaluation",
                        verbose_name="evaluation",
                    ),
                ),
                (
                    "revision",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="performance.evaluation",
                        verbose_name="revision",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="score_changes",
                        to="partners.partner",
                        verbose_name="partner",
                    ),
                ),
                (
                    "total_before",
                    models.DecimalField(
                        decimal_places=2, max_digits=6, null=True, verbose_name="total before"
                    ),
                ),
                (
                    "total_after",
                    models.DecimalField(
                        decimal_places=2, max_digits=6, null=True, verbose_name="total after"
                    ),
                ),
                (
                    "difference",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.expressions.CombinedExpression(
                            django.db.models.functions.comparison.Coalesce(
                                "total_after", Decimal("0")
                            ),
                            "-",
                            django.db.models.functions.comparison.Coalesce(
                                "total_before", Decimal("0")
                            ),
                        ),
                        output_field=models.DecimalField(decimal_places=2, max_digits=6),
                        verbose_name="difference",
                    ),
                ),
                ("rank_before", models.PositiveIntegerField(null=True, verbose_name="rank before")),
                ("rank_after", models.PositiveIntegerField(null=True, verbose_name="rank after")),
                (
                    "level_before",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.level",
                        verbose_name="level before",
                    ),
                ),
                (
                    "level_after",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.level",
                        verbose_name="level after",
                    ),
                ),
                ("items", models.JSONField(default=list, verbose_name="items")),
            ],
            options={
                "verbose_name": "changed score",
                "verbose_name_plural": "changed scores",
                "ordering": ["evaluation", "revision", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("evaluation", "revision", "partner"),
                        name="score_change_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("revision", None),
                            models.Q(("revision", models.F("evaluation")), _negated=True),
                            _connector="OR",
                        ),
                        name="score_change_between_two",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="scorechange",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_evaluation p ON p.id = t.revision_id\n                   WHERE p.state IN ('published')) THEN\n            RAISE EXCEPTION 'what a published revision changed is kept' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="3c496500082d9b764e99c93e26da65d8469e3dae",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_frozen_insert_4ede4",
                    referencing="REFERENCING NEW TABLE AS touched ",
                    table="performance_scorechange",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="scorechange",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_evaluation p ON p.id = t.revision_id\n                   WHERE p.state IN ('published')) THEN\n            RAISE EXCEPTION 'what a published revision changed is kept' USING ERRCODE = 'restrict_violation';\n        END IF;\n    \n        IF EXISTS (SELECT 1 FROM changed t JOIN performance_evaluation p ON p.id = t.revision_id\n                   WHERE p.state IN ('published')) THEN\n            RAISE EXCEPTION 'what a published revision changed is kept' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="4d94f71c3060c60befb03a7cca5bd1235dabd4ff",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_frozen_update_a10e3",
                    referencing="REFERENCING OLD TABLE AS touched  NEW TABLE AS changed ",
                    table="performance_scorechange",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="scorechange",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_evaluation p ON p.id = t.revision_id\n                   WHERE p.state IN ('published')) THEN\n            RAISE EXCEPTION 'what a published revision changed is kept' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="e8f1976dd0d7a8157ef343e2cc76abaf8753ef65",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_frozen_delete_a813a",
                    referencing="REFERENCING OLD TABLE AS touched ",
                    table="performance_scorechange",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Appeal",
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
                    "evaluation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appeals",
                        to="performance.evaluation",
                        verbose_name="evaluation",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appeals",
                        to="partners.partner",
                        verbose_name="partner",
                    ),
                ),
                (
                    "item_code",
                    models.CharField(
                        blank=True,
                        help_text="Empty: the whole result.",
                        max_length=40,
                        verbose_name="item",
                    ),
                ),
                ("claim", models.TextField(verbose_name="what is wrong")),
                (
                    "evidence",
                    models.FileField(blank=True, upload_to="appeals/%Y/", verbose_name="evidence"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("filed", "Filed"),
                            ("taken", "Being examined"),
                            ("accepted", "Accepted"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="filed",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "filed_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="filed by",
                    ),
                ),
                (
                    "by_partner",
                    models.BooleanField(
                        default=False, editable=False, verbose_name="filed by the partner"
                    ),
                ),
                ("due_on", models.DateField(editable=False, verbose_name="answer due on")),
                (
                    "soon_reminded_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        null=True,
                        verbose_name="reminded before the day",
                    ),
                ),
                (
                    "late_reminded_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="reminded after the day"
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
                ("answer", models.TextField(blank=True, editable=False, verbose_name="answer")),
                (
                    "granted_points",
                    models.DecimalField(
                        blank=True,
                        decimal_places=4,
                        editable=False,
                        max_digits=7,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="points granted",
                    ),
                ),
                (
                    "granted_level",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.level",
                        verbose_name="level granted",
                    ),
                ),
                (
                    "decided_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="decided at"
                    ),
                ),
                (
                    "revision",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="appeals_taken_up",
                        to="performance.evaluation",
                        verbose_name="takes effect in",
                    ),
                ),
            ],
            options={
                "verbose_name": "appeal",
                "verbose_name_plural": "appeals",
                "ordering": ["-id"],
                "permissions": [("decide_appeal", "Can decide appeals that others filed")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["filed", "taken"])),
                        fields=("evaluation", "partner", "item_code"),
                        name="appeal_once",
                        violation_error_message="There is an open appeal about that already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("claim", ""), _negated=True), name="appeal_claim"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("owner", None),
                            models.Q(("owner", models.F("filed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="appeal_two_people",
                        violation_error_message="Who filed it cannot decide it.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["filed", "withdrawn"]),
                            ("owner__isnull", False),
                            _connector="OR",
                        ),
                        name="appeal_has_owner",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["accepted", "rejected"]), _negated=True),
                            models.Q(
                                ("decided_at__isnull", False),
                                models.Q(("answer", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="appeal_answered",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("granted_level", None), ("granted_points", None)),
                            ("state", "accepted"),
                            _connector="OR",
                        ),
                        name="appeal_grants_when_accepted",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("granted_points", None),
                            models.Q(
                                models.Q(("item_code", ""), _negated=True),
                                ("granted_level", None),
                                ("granted_points__gte", 0),
                            ),
                            _connector="OR",
                        ),
                        name="appeal_grants_one_thing",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="appeal",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="e544f3437532342731f13b1e1bdc64ebff3a3e7b",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_ffac7",
                    table="performance_appeal",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="appeal",
            trigger=pgtrigger.compiler.Trigger(
                name="follow_partner",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.partner_id IS NOT NULL)",
                    declare="DECLARE kept bigint;",
                    func="\n        IF TG_OP = 'INSERT' OR NEW.partner_id IS DISTINCT FROM OLD.partner_id THEN\n            SELECT merged_into_id INTO kept FROM partners_partner\n             WHERE id = NEW.partner_id FOR KEY SHARE;\n            NEW.partner_id := coalesce(kept, NEW.partner_id);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="5a8b5f381effdc8aeeea171d4a2e0d0d77375277",
                    operation='INSERT OR UPDATE OF "partner_id"',
                    pgid="pgtrigger_follow_partner_140d2",
                    table="performance_appeal",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="BacktestResult",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "report",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="results",
                        to="performance.backtestreport",
                        verbose_name="backtest",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="backtest_results",
                        to="partners.partner",
                        verbose_name="partner",
                    ),
                ),
                (
                    "total_draft",
                    models.DecimalField(
                        decimal_places=2, max_digits=6, null=True, verbose_name="total by the draft"
                    ),
                ),
                (
                    "total_against",
                    models.DecimalField(
                        decimal_places=2, max_digits=6, null=True, verbose_name="total in force"
                    ),
                ),
                (
                    "change",
                    models.DecimalField(
                        decimal_places=2, max_digits=6, null=True, verbose_name="change"
                    ),
                ),
                (
                    "rank_draft",
                    models.PositiveIntegerField(null=True, verbose_name="rank by the draft"),
                ),
                (
                    "rank_against",
                    models.PositiveIntegerField(null=True, verbose_name="rank in force"),
                ),
                (
                    "level_draft",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.level",
                        verbose_name="level by the draft",
                    ),
                ),
                (
                    "level_against",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.level",
                        verbose_name="level in force",
                    ),
                ),
                (
                    "steps",
                    models.SmallIntegerField(
                        help_text="1: the draft gives a higher level, −1: a lower one.",
                        verbose_name="levels",
                    ),
                ),
                (
                    "near_level",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.level",
                        verbose_name="near level",
                    ),
                ),
                (
                    "margin",
                    models.DecimalField(
                        decimal_places=2, max_digits=4, null=True, verbose_name="distance"
                    ),
                ),
                (
                    "level_before",
                    models.CharField(blank=True, max_length=40, verbose_name="level before"),
                ),
                ("forgiven", models.PositiveSmallIntegerField(default=0, verbose_name="forgiven")),
                ("trail", models.JSONField(verbose_name="all periods")),
            ],
            options={
                "verbose_name": "partner in a backtest",
                "verbose_name_plural": "partners in backtests",
                "ordering": ["report", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("report", "partner"), name="backtest_result_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("steps__gte", -1), ("steps__lte", 1)),
                        name="backtest_result_steps",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("margin", None), ("near_level", None)),
                            models.Q(
                                ("margin__gte", -2),
                                ("margin__lte", 2),
                                ("near_level__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="backtest_result_margin",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="backtestresult",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_backtestreport p ON p.id = t.report_id\n                   WHERE p.state IN ('attached')) THEN\n            RAISE EXCEPTION 'results of an attached backtest cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="0d1c4b00946cf35f1f419a87d825a5fb1f995df8",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_frozen_insert_3b5cb",
                    referencing="REFERENCING NEW TABLE AS touched ",
                    table="performance_backtestresult",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="backtestresult",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_backtestreport p ON p.id = t.report_id\n                   WHERE p.state IN ('attached')) THEN\n            RAISE EXCEPTION 'results of an attached backtest cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    \n        IF EXISTS (SELECT 1 FROM changed t JOIN performance_backtestreport p ON p.id = t.report_id\n                   WHERE p.state IN ('attached')) THEN\n            RAISE EXCEPTION 'results of an attached backtest cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="bf52e874d0f51a18e5253b5e856e3081dedad4dc",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_frozen_update_9110d",
                    referencing="REFERENCING OLD TABLE AS touched  NEW TABLE AS changed ",
                    table="performance_backtestresult",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="backtestresult",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_backtestreport p ON p.id = t.report_id\n                   WHERE p.state IN ('attached')) THEN\n            RAISE EXCEPTION 'results of an attached backtest cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="6bfac42e6a80c0c46438f7797aa07123815c8b67",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_frozen_delete_88703",
                    referencing="REFERENCING OLD TABLE AS touched ",
                    table="performance_backtestresult",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Consequence",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("level", "Level change"),
                            ("award", "Award"),
                            ("warning", "Warning"),
                            ("elimination", "Elimination"),
                        ],
                        max_length=12,
                        verbose_name="Kind",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consequences",
                        to="partners.partner",
                        verbose_name="partner",
                    ),
                ),
                (
                    "evaluation",
                    models.ForeignKey(
                        blank=True,
                        help_text="The result that it follows from.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consequences",
                        to="performance.evaluation",
                        verbose_name="evaluation",
                    ),
                ),
                (
                    "level",
                    models.ForeignKey(
                        blank=True,
                        help_text="Of a level change. Empty: no level any more.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.level",
                        verbose_name="new level",
                    ),
                ),
                (
                    "level_before",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.level",
                        verbose_name="level before",
                    ),
                ),
                ("reason", models.TextField(verbose_name="reason")),
                ("effective_on", models.DateField(verbose_name="takes effect on")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("agreed", "Agreed, to be decided"),
                            ("decided", "Decided"),
                            ("in_force", "In force"),
                            ("rejected", "Rejected"),
                        ],
                        default="proposed",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
                (
                    "agreed_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="agreed by",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
            ],
            options={
                "verbose_name": "consequence",
                "verbose_name_plural": "consequences",
                "ordering": ["-effective_on", "-id"],
                "permissions": [
                    ("decide_consequence", "Can decide consequences that others proposed")
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "decided")),
                        fields=["effective_on"],
                        name="consequence_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("kind", "level"), models.Q(("state", "rejected"), _negated=True)
                        ),
                        fields=("evaluation", "partner"),
                        name="consequence_one_level_change",
                        violation_error_message="This result has a level change already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind", "level"),
                            models.Q(("level", None), ("level_before", None)),
                            _connector="OR",
                        ),
                        name="consequence_level",
                        violation_error_message="Only a level change has a new level.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="consequence_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_by", None), ("state__in", ["proposed", "agreed"])),
                            models.Q(
                                ("decided_by__isnull", False),
                                ("state__in", ["decided", "in_force", "rejected"]),
                            ),
                            _connector="OR",
                        ),
                        name="consequence_decided_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_by", None),
                                models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                                _connector="OR",
                            ),
                            models.Q(
                                ("agreed_by", None),
                                models.Q(("agreed_by", models.F("proposed_by")), _negated=True),
                                _connector="OR",
                            ),
                            models.Q(
                                ("agreed_by", None),
                                ("decided_by", None),
                                models.Q(("decided_by", models.F("agreed_by")), _negated=True),
                                _connector="OR",
                            ),
                        ),
                        name="consequence_different_people",
                        violation_error_message="Different persons propose and decide it.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind", "elimination"),
                                ("state__in", ["decided", "in_force"]),
                                _negated=True,
                            ),
                            ("agreed_by__isnull", False),
                            _connector="OR",
                        ),
                        name="consequence_elimination_by_two",
                        violation_error_message="An elimination is decided by two persons.",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="consequence",
            trigger=pgtrigger.compiler.Trigger(
                name="decided_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.state <> 'proposed' AND (NEW.kind, NEW.partner_id, NEW.evaluation_id, NEW.level_id, NEW.reason, NEW.effective_on, NEW.proposed_by_id, NEW.agreed_by_id) IS DISTINCT FROM (OLD.kind, OLD.partner_id, OLD.evaluation_id, OLD.level_id, OLD.reason, OLD.effective_on, OLD.proposed_by_id, OLD.agreed_by_id) OR OLD.state IN ('decided', 'in_force', 'rejected') AND (NEW.decided_by_id IS DISTINCT FROM OLD.decided_by_id OR OLD.state <> NEW.state AND (OLD.state, NEW.state) <> ('decided', 'in_force')))",
                    func="RAISE EXCEPTION 'an agreed or decided consequence cannot be changed' USING ERRCODE = 'restrict_violation';",
                    hash="c06e38bdaef6f6fd858dc213a80ca05f4d718719",
                    operation="UPDATE",
                    pgid="pgtrigger_decided_update_58e4d",
                    table="performance_consequence",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="consequence",
            trigger=pgtrigger.compiler.Trigger(
                name="decided_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.state <> 'proposed')",
                    func="RAISE EXCEPTION 'an agreed or decided consequence cannot be deleted' USING ERRCODE = 'restrict_violation';",
                    hash="9a5ec00cc04f7b5cc989cad9e0fa834f7360eed4",
                    operation="DELETE",
                    pgid="pgtrigger_decided_delete_d6ffd",
                    table="performance_consequence",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="consequence",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="8965d7e4d6298209c74ca09155b56f50328b71fc",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_b0e70",
                    table="performance_consequence",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="consequence",
            trigger=pgtrigger.compiler.Trigger(
                name="follow_partner",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.partner_id IS NOT NULL)",
                    declare="DECLARE kept bigint;",
                    func="\n        IF TG_OP = 'INSERT' OR NEW.partner_id IS DISTINCT FROM OLD.partner_id THEN\n            SELECT merged_into_id INTO kept FROM partners_partner\n             WHERE id = NEW.partner_id FOR KEY SHARE;\n            NEW.partner_id := coalesce(kept, NEW.partner_id);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="044efc5653fd33b8333b29db92c8b6161d0c2bd5",
                    operation='INSERT OR UPDATE OF "partner_id"',
                    pgid="pgtrigger_follow_partner_77db9",
                    table="performance_consequence",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ImprovementPlan",
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="improvement_plans",
                        to="partners.partner",
                        verbose_name="partner",
                    ),
                ),
                (
                    "evaluation",
                    models.ForeignKey(
                        blank=True,
                        help_text="The result that it follows from.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="improvement_plans",
                        to="performance.evaluation",
                        verbose_name="evaluation",
                    ),
                ),
                ("goal", models.TextField(verbose_name="what has to get better")),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
                ("starts_on", models.DateField(verbose_name="begins on")),
                ("due_on", models.DateField(verbose_name="due on")),
                (
                    "scheme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="performance.scheme",
                        verbose_name="scheme of the re-test",
                    ),
                ),
                (
                    "retest_period",
                    models.CharField(
                        help_text="As 2013-09, 2013Q3 or 2013.",
                        max_length=10,
                        verbose_name="period of the re-test",
                    ),
                ),
                (
                    "goal_total",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=6,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="total to reach",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Under way"),
                            ("passed", "Passed"),
                            ("failed", "Not passed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "result",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="performance.score",
                        verbose_name="result of the re-test",
                    ),
                ),
            ],
            options={
                "verbose_name": "improvement plan",
                "verbose_name_plural": "improvement plans",
                "ordering": ["due_on", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("starts_on__lte", models.F("due_on"))),
                        name="plan_dates",
                        violation_error_message="It cannot be due before it begins.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("goal", ""), _negated=True), name="plan_goal"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("goal_total__gte", 0)), name="plan_goal_total"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("result__isnull", False), ("state__in", ["passed", "failed"])
                            ),
                            models.Q(("result", None), ("state__in", ["open", "cancelled"])),
                            _connector="OR",
                        ),
                        name="plan_result",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="improvementplan",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="77c78bc5b85db9e337c6dad92b5745a8e78fd818",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_217f6",
                    table="performance_improvementplan",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="improvementplan",
            trigger=pgtrigger.compiler.Trigger(
                name="follow_partner",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.partner_id IS NOT NULL)",
                    declare="DECLARE kept bigint;",
                    func="\n        IF TG_OP = 'INSERT' OR NEW.partner_id IS DISTINCT FROM OLD.partner_id THEN\n            SELECT merged_into_id INTO kept FROM partners_partner\n             WHERE id = NEW.partner_id FOR KEY SHARE;\n            NEW.partner_id := coalesce(kept, NEW.partner_id);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="16d6678e8ddfc4d0488bb2f6ad5f9e18c8708c53",
                    operation='INSERT OR UPDATE OF "partner_id"',
                    pgid="pgtrigger_follow_partner_3e1a1",
                    table="performance_improvementplan",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Correction",
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
                    "evaluation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="corrections",
                        to="performance.evaluation",
                        verbose_name="evaluation",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrections",
                        to="partners.partner",
                        verbose_name="partner",
                    ),
                ),
                (
                    "item_code",
                    models.CharField(
                        blank=True,
                        help_text="Empty: the level.",
                        max_length=40,
                        verbose_name="item",
                    ),
                ),
                (
                    "points",
                    models.DecimalField(
                        blank=True,
                        decimal_places=4,
                        help_text="The points of the item from now on.",
                        max_digits=7,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="points",
                    ),
                ),
                (
                    "level",
                    models.ForeignKey(
                        blank=True,
                        help_text="The level from now on; empty: none.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.level",
                        verbose_name="level",
                    ),
                ),
                ("reason", models.TextField(verbose_name="reason")),
                (
                    "evidence",
                    models.FileField(
                        blank=True, upload_to="corrections/%Y/", verbose_name="evidence"
                    ),
                ),
                (
                    "appeal",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrections",
                        to="performance.appeal",
                        verbose_name="appeal",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("accepted", "Accepted"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="proposed",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
            ],
            options={
                "verbose_name": "change in review",
                "verbose_name_plural": "changes in review",
                "ordering": ["-id"],
                "permissions": [("decide_correction", "Can decide changes that others proposed")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["proposed", "accepted"])),
                        fields=("evaluation", "partner", "item_code"),
                        name="correction_once",
                        violation_error_message="There is a change of that already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                models.Q(("item_code", ""), _negated=True),
                                ("level", None),
                                ("points__isnull", False),
                            ),
                            models.Q(("item_code", ""), ("points", None)),
                            _connector="OR",
                        ),
                        name="correction_one_thing",
                        violation_error_message="Give the points of an item, or else a level.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("points", None), ("points__gte", 0), _connector="OR"),
                        name="correction_points",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="correction_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "accepted"), _negated=True),
                            models.Q(
                                ("decided_by__isnull", False),
                                models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="correction_two_people",
                        violation_error_message="Who proposed it cannot accept it.",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="correction",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_evaluation p ON p.id = t.evaluation_id\n                   WHERE p.state IN ('published')) THEN\n            RAISE EXCEPTION 'corrections of a published evaluation cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="0942c0a52f8b5b74a50ee94bb11529536ce8fda8",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_frozen_insert_9ad58",
                    referencing="REFERENCING NEW TABLE AS touched ",
                    table="performance_correction",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="correction",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_evaluation p ON p.id = t.evaluation_id\n                   WHERE p.state IN ('published')) THEN\n            RAISE EXCEPTION 'corrections of a published evaluation cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    \n        IF EXISTS (SELECT 1 FROM changed t JOIN performance_evaluation p ON p.id = t.evaluation_id\n                   WHERE p.state IN ('published')) THEN\n            RAISE EXCEPTION 'corrections of a published evaluation cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="6832ad1bef6c80025d9e14fea486ef4d8f4b6d72",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_frozen_update_81781",
                    referencing="REFERENCING OLD TABLE AS touched  NEW TABLE AS changed ",
                    table="performance_correction",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="correction",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF EXISTS (SELECT 1 FROM touched t JOIN performance_evaluation p ON p.id = t.evaluation_id\n                   WHERE p.state IN ('published')) THEN\n            RAISE EXCEPTION 'corrections of a published evaluation cannot be changed' USING ERRCODE = 'restrict_violation';\n        END IF;\n    RETURN NULL;",
                    hash="dc75980abe5e8f259360492efba7b581ebc31ff6",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_frozen_delete_53dd6",
                    referencing="REFERENCING OLD TABLE AS touched ",
                    table="performance_correction",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="correction",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="544ae2b47d677d981747b374f203f056a954d38f",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_748c8",
                    table="performance_correction",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="correction",
            trigger=pgtrigger.compiler.Trigger(
                name="follow_partner",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.partner_id IS NOT NULL)",
                    declare="DECLARE kept bigint;",
                    func="\n        IF TG_OP = 'INSERT' OR NEW.partner_id IS DISTINCT FROM OLD.partner_id THEN\n            SELECT merged_into_id INTO kept FROM partners_partner\n             WHERE id = NEW.partner_id FOR KEY SHARE;\n            NEW.partner_id := coalesce(kept, NEW.partner_id);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="d77cd4232c800ca6d737b5dfcdea3ce88591b86c",
                    operation='INSERT OR UPDATE OF "partner_id"',
                    pgid="pgtrigger_follow_partner_30db4",
                    table="performance_correction",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="PlanAction",
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="actions",
                        to="performance.improvementplan",
                        verbose_name="improvement plan",
                    ),
                ),
                ("what", models.CharField(max_length=200, verbose_name="what to do")),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
                ("due_on", models.DateField(verbose_name="due on")),
                ("done_on", models.DateField(blank=True, null=True, verbose_name="done on")),
                ("note", models.TextField(blank=True, verbose_name="note")),
            ],
            options={
                "verbose_name": "action",
                "verbose_name_plural": "actions",
                "ordering": ["due_on", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_on", None)),
                        fields=["owner", "due_on"],
                        name="action_open",
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="planaction",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="f6bc742531e1b4d6f9d398ea902a006662e8bf6b",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_bfdc6",
                    table="performance_planaction",
                    when="BEFORE",
                ),
            ),
        ),
        # A shard lives for seconds: compressing its result would take longer than writing it.
        migrations.RunSQL(
            "ALTER TABLE performance_evaluationshard ALTER COLUMN result SET STORAGE EXTERNAL",
            migrations.RunSQL.noop,
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
