"""Reporting rules and reports, closed months and adjustments, and the triggers that keep them right.

The triggers are statement level with the transition tables that the rollup has anyway. Where no
month is closed and no report is owed they read one row each.
"""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

LOCK = "PERFORM pg_advisory_xact_lock(hashtext('sales.facts'));"

# --- Adjustments ----------------------------------------------------------------------------------

ADJUST = """INSERT INTO sales_adjustment (closing_id, fact_id, source, reference, partner_id,
        product_line_id, kind, month, occurred_on, recorded_at, amount, quantity, load_id, cause)"""
CLOSED = """JOIN sales_closedperiod c ON c.state = 'closed' AND c.kind = f.kind
         AND c.month = date_trunc('month', f.occurred_on::timestamp)::date
      JOIN catalog_product p ON p.id = f.product_id
     WHERE f.occurred_on < $1"""

# Whether an import is being taken back: sales.loading.undo says so for its transaction.
UNDOING = "(current_setting('sales.undoing', true) = 'on')"

CAME = f"""{ADJUST}
    SELECT c.id, f.id, f.source, f.reference, f.partner_id, p.product_line_id, f.kind, c.month,
           f.occurred_on, f.recorded_at, f.amount, f.quantity, f.load_id,
           CASE WHEN {UNDOING} THEN 'undone'
                WHEN f.amount < 0 OR f.reverses_id IS NOT NULL THEN 'returned' ELSE 'late' END
      FROM new_rows f {CLOSED}"""
WENT = f"""{ADJUST}
    SELECT c.id, f.id, f.source, f.reference, f.partner_id, p.product_line_id, f.kind, c.month,
           f.occurred_on, statement_timestamp(), -f.amount, -f.quantity, f.load_id,
           CASE WHEN {UNDOING} THEN 'undone' ELSE 'changed' END
      FROM {{rows}} f {CLOSED}"""
# What a line was goes from where it was, what it is comes to where it is; in one place only the
# difference counts.
CHANGED = f"""{ADJUST}
    WITH pair AS (
        SELECT id, {UNDOING} AS undone,
               CASE WHEN {UNDOING} THEN o.load_id ELSE n.load_id END AS load
          FROM new_rows n JOIN old_rows o USING (id)
    ), side AS (SELECT 1 AS sign, n.* FROM new_rows n UNION ALL SELECT -1, o.* FROM old_rows o)
    SELECT c.id, f.id, min(f.source), min(f.reference), f.partner_id, p.product_line_id, f.kind,
           c.month, coalesce(max(f.occurred_on) FILTER (WHERE sign = 1), max(f.occurred_on)),
           statement_timestamp(), sum(sign * f.amount), sum(sign * f.quantity), pair.load,
           CASE WHEN pair.undone THEN 'undone' ELSE 'changed' END
      FROM side f JOIN pair USING (id) {CLOSED}
     GROUP BY c.id, f.id, f.partner_id, p.product_line_id, f.kind, pair.load, pair.undone
    HAVING sum(sign * f.amount) <> 0 OR sum(sign * f.quantity) <> 0"""

# As for the rollup, EXECUTE: one line and a million want different plans.
ADJUSTMENTS = f"""
CREATE FUNCTION sales_adjust() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE bound date;
BEGIN
    {LOCK}
    SELECT max(month) + interval '1 month' INTO bound
      FROM sales_closedperiod WHERE state = 'closed';
    IF bound IS NULL THEN RETURN NULL; END IF;
    IF TG_OP = 'INSERT' THEN
        EXECUTE $sql${CAME}$sql$ USING bound;
    ELSIF TG_OP = 'UPDATE' THEN
        EXECUTE $sql${CHANGED}$sql$ USING bound;
    ELSIF TG_OP = 'DELETE' THEN
        EXECUTE $sql${WENT.format(rows="old_rows")}$sql$ USING bound;
    ELSE
        EXECUTE $sql${WENT.format(rows="sales_salesfact")}$sql$ USING bound;
    END IF;
    RETURN NULL;
END $$;
"""

# --- Reports --------------------------------------------------------------------------------------

# The first of the lines that are in the books, by when its file came: a line that an import changed
# was reported when it came first. What no import brought came when it was recorded. No row when there
# is no line.
FIRST = """
CREATE FUNCTION sales_first_report(partner bigint, what text, first date, after date)
RETURNS TABLE (at timestamptz, load bigint) LANGUAGE sql STABLE AS $$
    WITH line AS (
        SELECT f.id, f.recorded_at, f.load_id FROM sales_salesfact f
         WHERE f.partner_id = partner AND f.kind = what
           AND f.occurred_on >= first AND f.occurred_on < after
    )
    SELECT coalesce(i.created_at, version.recorded_at), version.load_id FROM (
        SELECT recorded_at, load_id FROM line
        UNION ALL
        SELECT (b.row ->> 'recorded_at')::timestamptz, b.previous_load_id FROM line
          JOIN sales_factbefore b ON b.kind = 'sales' AND b.fact_id = line.id
         WHERE b.partner_id = partner AND b.row ->> 'kind' = what
           AND (b.row ->> 'occurred_on')::date >= first
           AND (b.row ->> 'occurred_on')::date < after
        UNION ALL  -- what a file replaced was reported when it came, as long as there is any line
        SELECT (b.row ->> 'recorded_at')::timestamptz, b.previous_load_id FROM sales_factbefore b
         WHERE b.partner_id = partner AND b.kind = 'sales' AND b.removed
           AND b.row ->> 'kind' = what
           AND (b.row ->> 'occurred_on')::date >= first
           AND (b.row ->> 'occurred_on')::date < after AND EXISTS (SELECT FROM line)
    ) version LEFT JOIN core_import i ON i.id = version.load_id ORDER BY 1, 2 LIMIT 1
$$;
"""

# Only reports that the lines may concern are looked at; lines that come later than the first one
# known change nothing.
RECEIVE = """UPDATE sales_report r
       SET received_at = s.at, load_id = s.load, updated_at = statement_timestamp()
      FROM (SELECT r.id, first.at, first.load
              FROM (SELECT line.partner_id, line.kind, min(line.occurred_on) AS since,
                           max(line.occurred_on) AS until,
                           least(min(line.recorded_at), min(i.created_at)) AS at
                      FROM {rows} line LEFT JOIN core_import i ON i.id = line.load_id
                     GROUP BY line.partner_id, line.kind) t
              JOIN sales_report r ON r.partner_id = t.partner_id AND r.kind = t.kind
                   AND r.starts_on <= t.until AND r.ends_before > t.since {only}
              LEFT JOIN LATERAL
                   sales_first_report(r.partner_id, r.kind, r.starts_on, r.ends_before) first
                   ON true) s
     WHERE s.id = r.id AND (r.received_at, r.load_id) IS DISTINCT FROM (s.at, s.load)"""
BOTH = "(SELECT * FROM new_rows UNION ALL SELECT * FROM old_rows)"

REPORTS = f"""
CREATE FUNCTION sales_receive() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {LOCK}
    IF NOT EXISTS (SELECT FROM sales_report) THEN RETURN NULL; END IF;
    IF TG_OP = 'INSERT' THEN
        EXECUTE $sql${
    RECEIVE.format(rows="new_rows", only="AND (r.received_at IS NULL OR r.received_at > t.at)")
}$sql$;
    ELSIF TG_OP = 'UPDATE' THEN
        EXECUTE $sql${RECEIVE.format(rows=BOTH, only="")}$sql$;
    ELSIF TG_OP = 'DELETE' THEN
        EXECUTE $sql${RECEIVE.format(rows="old_rows", only="")}$sql$;
    ELSE
        UPDATE sales_report
           SET received_at = NULL, load_id = NULL, updated_at = statement_timestamp()
         WHERE received_at IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;
"""

# --- Who calls them -------------------------------------------------------------------------------

EVENTS = (
    ("insert", "AFTER INSERT", "REFERENCING NEW TABLE AS new_rows"),
    ("update", "AFTER UPDATE", "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows"),
    ("delete", "AFTER DELETE", "REFERENCING OLD TABLE AS old_rows"),
    # What goes must be read before it is gone.
    ("truncate", "BEFORE TRUNCATE", ""),
)
# ALWAYS: the load writes with session_replication_role = replica.
TRIGGERS = "".join(
    f"""
CREATE TRIGGER {function}_{name} {event} ON sales_salesfact {tables}
    FOR EACH STATEMENT EXECUTE FUNCTION {function}();
ALTER TABLE sales_salesfact ENABLE ALWAYS TRIGGER {function}_{name};"""
    for function in ("sales_adjust", "sales_receive")
    for name, event, tables in EVENTS
)

UNDO = (
    "".join(
        f"DROP TRIGGER {function}_{name} ON sales_salesfact;\n"
        for function in ("sales_adjust", "sales_receive")
        for name, _event, _tables in EVENTS
    )
    + "DROP FUNCTION sales_adjust(), sales_receive(), sales_first_report(bigint, text, date, date);"
)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_client_limits"),
        ("catalog", "0004_changed_at"),
        ("core", "0010_import_profiles"),
        ("partners", "0006_machines"),
        ("sales", "0007_facts_changed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
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
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
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
                    "net",
                    models.DecimalField(
                        decimal_places=4, max_digits=24, verbose_name="net at closing"
                    ),
                ),
                ("lines", models.PositiveIntegerField(verbose_name="lines at closing")),
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
            ],
            options={
                "verbose_name": "closed month",
                "verbose_name_plural": "closed months",
                "ordering": ["-month", "kind", "-pk"],
                "permissions": [("reopen_closedperiod", "Can reopen a closed month")],
            },
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
                    "closing",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustments",
                        to="sales.closedperiod",
                        verbose_name="closed month",
                    ),
                ),
            ],
            options={
                "verbose_name": "adjustment",
                "verbose_name_plural": "adjustments",
                "ordering": ["-id"],
            },
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
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
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
                    "partners",
                    models.ManyToManyField(
                        blank=True, related_name="+", to="partners.partner", verbose_name="partners"
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
            ],
            options={
                "verbose_name": "reporting rule",
                "verbose_name_plural": "reporting rules",
                "ordering": ["name"],
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
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
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
                    "nothing_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="confirmed at"),
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
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reports",
                        to="sales.reportingrule",
                        verbose_name="rule",
                    ),
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
            },
        ),
        migrations.AddConstraint(
            model_name="closedperiod",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "closed")),
                fields=("kind", "month"),
                name="sales_closed_once",
                violation_error_message="This month is closed already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="closedperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(("month__day", 1)), name="sales_closed_month"
            ),
        ),
        migrations.AddConstraint(
            model_name="closedperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["sell_in", "sell_through", "sell_out"])),
                name="sales_closed_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="closedperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["closed", "reopened"])), name="sales_closed_state"
            ),
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
        migrations.AddConstraint(
            model_name="reportingrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["sell_in", "sell_through", "sell_out"])),
                name="sales_rule_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="reportingrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("frequency__in", ("week", "month", "quarter"))),
                name="sales_rule_frequency",
            ),
        ),
        migrations.AddConstraint(
            model_name="reportingrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("starts_on__range", ("1990-01-01", "2100-12-31"))),
                name="sales_rule_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="reportingrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_before__isnull", True),
                    ("ends_before__gt", models.F("starts_on")),
                    _connector="OR",
                ),
                name="sales_rule_dates",
                violation_error_message="The end must lie after the beginning.",
            ),
        ),
        migrations.AddIndex(
            model_name="report",
            index=models.Index(
                fields=["partner", "kind", "starts_on"], name="sales_report_of_partner"
            ),
        ),
        migrations.AddIndex(
            model_name="report",
            index=models.Index(fields=["kind", "starts_on"], name="sales_report_of_kind"),
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.UniqueConstraint(
                fields=("rule", "starts_on", "partner"), name="sales_report_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("due_on__gte", models.F("ends_before")),
                    ("ends_before__gt", models.F("starts_on")),
                ),
                name="sales_report_dates",
            ),
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("nothing_at__isnull", True), ("nothing_by__isnull", True)),
                    models.Q(("nothing_at__isnull", False), ("nothing_by__isnull", False)),
                    _connector="OR",
                ),
                name="sales_report_confirmed_by_somebody",
            ),
        ),
        migrations.RunSQL(ADJUSTMENTS + FIRST + REPORTS + TRIGGERS, UNDO),
    ]
