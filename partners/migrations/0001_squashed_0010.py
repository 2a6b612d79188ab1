"""Partners, the keys that find duplicates, and the levels most channels begin with, as of migration 0010: what a new database gets in one step."""

from importlib import import_module

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

seed = import_module("partners.migrations.0002_levels").seed
keys = import_module("partners.migrations.0009_keys")


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("partners", "0001_initial"),
        ("partners", "0002_levels"),
        ("partners", "0003_sort_path"),
        ("partners", "0004_tree_in_sets"),
        ("partners", "0005_changed_at"),
        ("partners", "0006_machines"),
        ("partners", "0007_merge"),
        ("partners", "0008_changed_at_generated"),
        ("partners", "0009_keys"),
        ("partners", "0010_follow_who_moves"),
    ]

    dependencies = [
        ("accounts", "0002_squashed_0007"),
        ("accounts", "__first__"),
    ]

    operations = [
        TrigramExtension(),
        migrations.RunSQL(
            keys.NAME_KEY + keys.PHONE_KEY,
            "DROP FUNCTION partners_name_key(text), partners_phone_key(text)",
        ),
        migrations.CreateModel(
            name="Level",
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
                ("code", models.SlugField(max_length=20, unique=True, verbose_name="code")),
                ("name", models.CharField(max_length=40, verbose_name="name")),
                (
                    "name_en",
                    models.CharField(blank=True, max_length=40, verbose_name="English name"),
                ),
                ("rank", models.PositiveSmallIntegerField(unique=True, verbose_name="rank")),
                (
                    "color",
                    models.CharField(
                        choices=[
                            ("purple", "Purple"),
                            ("yellow", "Yellow"),
                            ("secondary", "Grey"),
                            ("orange", "Orange"),
                            ("blue", "Blue"),
                            ("green", "Green"),
                        ],
                        default="secondary",
                        max_length=10,
                        verbose_name="colour",
                    ),
                ),
            ],
            options={
                "verbose_name": "level",
                "verbose_name_plural": "levels",
                "ordering": ["-rank"],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="level",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="e452e4a6d53a3b90d3f815aacb0816fd1d3f65a6",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_024a4",
                    table="partners_level",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Partner",
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
                        to="partners.partner",
                        verbose_name="parent",
                    ),
                ),
                ("path", models.TextField(db_collation="C", default="", editable=False)),
                ("sort_path", models.TextField(db_collation="C", default="", editable=False)),
                ("code", models.CharField(max_length=40, verbose_name="code")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                (
                    "short_name",
                    models.CharField(blank=True, max_length=60, verbose_name="short name"),
                ),
                ("pinyin", models.CharField(default="", editable=False, max_length=300)),
                (
                    "channel_type",
                    models.CharField(
                        choices=[
                            ("distributor", "Distributor"),
                            ("agent", "Agent"),
                            ("dealer", "Dealer"),
                            ("retailer", "Retailer"),
                            ("ecommerce", "E-commerce"),
                            ("integrator", "System integrator"),
                        ],
                        default="distributor",
                        max_length=20,
                        verbose_name="channel type",
                    ),
                ),
                (
                    "legal_name",
                    models.CharField(blank=True, max_length=200, verbose_name="legal name"),
                ),
                (
                    "credit_code",
                    models.CharField(
                        blank=True,
                        max_length=18,
                        null=True,
                        unique=True,
                        verbose_name="unified social credit code",
                    ),
                ),
                (
                    "territory",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="partners",
                        to="accounts.territory",
                        verbose_name="territory",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="owned_partners",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
                (
                    "level",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="partners",
                        to="partners.level",
                        verbose_name="level",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("prospect", "Prospect"),
                            ("onboarding", "Onboarding"),
                            ("active", "Active"),
                            ("suspended", "Suspended"),
                            ("exited", "Exited"),
                            ("merged", "Merged"),
                        ],
                        default="prospect",
                        max_length=50,
                        verbose_name="state",
                    ),
                ),
                (
                    "started_on",
                    models.DateField(blank=True, null=True, verbose_name="cooperation since"),
                ),
                (
                    "ended_on",
                    models.DateField(
                        blank=True, editable=False, null=True, verbose_name="cooperation until"
                    ),
                ),
                ("note", models.TextField(blank=True, verbose_name="note")),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merged_from",
                        to="partners.partner",
                        verbose_name="merged into",
                    ),
                ),
                (
                    "name_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(models.F("name"), function="partners_name_key"),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "legal_name_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            models.F("legal_name"), function="partners_name_key"
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "machines",
                    models.ManyToManyField(
                        blank=True,
                        editable=False,
                        related_name="named_partners",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "partner",
                "verbose_name_plural": "partners",
                "ordering": ["code"],
                "permissions": [
                    ("change_state_partner", "Can change the state of a partner"),
                    ("merge_partner", "Can merge partners"),
                ],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["path"], name="partners_partner_path"),
                    models.Index(fields=["pinyin", "id"], name="partner_pinyin"),
                    models.Index(fields=["state", "id"], name="partner_state"),
                    models.Index(fields=["updated_at", "id"], name="partner_changed"),
                    models.Index(
                        django.db.models.functions.text.Upper("code"),
                        condition=models.Q(("merged_into__isnull", False)),
                        name="partner_merged_code",
                    ),
                    models.Index(fields=["name_key"], name="partner_name_key"),
                    models.Index(fields=["legal_name_key"], name="partner_legal_name_key"),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["name", "short_name", "code", "pinyin"],
                        name="partner_search",
                        opclasses=["gin_trgm_ops", "gin_trgm_ops", "gin_trgm_ops", "gin_trgm_ops"],
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Upper("code"),
                        name="partner_code_unique",
                        violation_error_message="There is a partner with this code already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "prospect",
                                    "onboarding",
                                    "active",
                                    "suspended",
                                    "exited",
                                    "merged",
                                ],
                            )
                        ),
                        name="partner_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("merged_into__isnull", False), ("state", "merged")),
                            models.Q(
                                models.Q(("state", "merged"), _negated=True),
                                ("merged_into__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="partner_merged_into",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("credit_code__isnull", True),
                            ("credit_code__regex", "^[0-9A-HJ-NPQRTUWXY]{18}$"),
                            _connector="OR",
                        ),
                        name="partner_credit_code_form",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="partner",
            trigger=pgtrigger.compiler.Trigger(
                name="set_path",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE above text; codes text;",
                    func="\n        IF NEW.parent_id IS NULL THEN\n            NEW.path := '/' || NEW.id || '/';\n            NEW.sort_path := upper(NEW.code) || chr(1);\n        ELSE\n            SELECT path, sort_path INTO above, codes\n              FROM partners_partner WHERE id = NEW.parent_id;\n            NEW.path := above || NEW.id || '/';\n            NEW.sort_path := codes || upper(NEW.code) || chr(1);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="ecb8820e4e6648c0a4e6f5d43a32755bdc249e9a",
                    operation='INSERT OR UPDATE OF "parent_id", "code"',
                    pgid="pgtrigger_set_path_17abd",
                    table="partners_partner",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="partner",
            trigger=pgtrigger.compiler.Trigger(
                name="move_subtree",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.parent_id IS DISTINCT FROM NEW.parent_id OR OLD.code IS DISTINCT FROM NEW.code)",
                    func="\n        IF EXISTS (\n            WITH RECURSIVE above AS (\n                SELECT NEW.parent_id AS id\n                UNION\n                SELECT t.parent_id FROM partners_partner t JOIN above USING (id))\n            SELECT FROM above WHERE id = NEW.id)\n        THEN\n            RAISE EXCEPTION 'row % cannot be placed below itself', NEW.id\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'tree_cycle';\n        END IF;\n        WITH RECURSIVE below AS (\n            SELECT id, path, sort_path FROM partners_partner WHERE id = NEW.id\n            UNION ALL\n            SELECT t.id, b.path || t.id || '/', b.sort_path || upper(t.code) || chr(1)\n              FROM partners_partner t JOIN below b ON t.parent_id = b.id)\n        UPDATE partners_partner t SET path = b.path, sort_path = b.sort_path\n          FROM below b\n         WHERE t.id = b.id AND (t.path, t.sort_path) IS DISTINCT FROM (b.path, b.sort_path);\n        RETURN NULL;\n        ",
                    hash="d8cd83647520d8e20a4594fcb39c5847eafd1f2b",
                    operation='UPDATE OF "parent_id", "code"',
                    pgid="pgtrigger_move_subtree_81ff9",
                    table="partners_partner",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="partner",
            trigger=pgtrigger.compiler.Trigger(
                name="stays_merged",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.merged_into_id IS NOT NULL)",
                    func="\n    IF TG_OP = 'DELETE' OR NEW.merged_into_id IS NULL THEN\n        RAISE EXCEPTION 'partner % was merged into another one', OLD.id\n            USING ERRCODE = 'check_violation', CONSTRAINT = 'partner_stays_merged';\n    END IF;\n    RETURN NEW;\n    ",
                    hash="01d362c458f9fb28c23d8a9eb51c7373873955f2",
                    operation='UPDATE OF "merged_into_id" OR DELETE',
                    pgid="pgtrigger_stays_merged_67140",
                    table="partners_partner",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="partner",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at; NEW.name_key := OLD.name_key; NEW.legal_name_key := OLD.legal_name_key;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="154462362a46e63a21acbb83241813d285f69a3b",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_8d368",
                    table="partners_partner",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="partner",
            trigger=pgtrigger.compiler.Trigger(
                name="follow_parent",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.parent_id IS NOT NULL)",
                    declare="DECLARE kept bigint;",
                    func="\n        IF TG_OP = 'INSERT' OR NEW.parent_id IS DISTINCT FROM OLD.parent_id THEN\n            SELECT merged_into_id INTO kept FROM partners_partner\n             WHERE id = NEW.parent_id FOR KEY SHARE;\n            NEW.parent_id := coalesce(kept, NEW.parent_id);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="58a04fb39c3306c3b617b6b5189680b16385f34e",
                    operation='INSERT OR UPDATE OF "parent_id"',
                    pgid="pgtrigger_follow_parent_ddeb0",
                    table="partners_partner",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Contact",
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contacts",
                        to="partners.partner",
                        verbose_name="partner",
                    ),
                ),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Owner"),
                            ("sales", "Sales"),
                            ("finance", "Finance"),
                            ("warehouse", "Warehouse"),
                            ("service", "Service"),
                            ("other", "Other"),
                        ],
                        default="other",
                        max_length=10,
                        verbose_name="role",
                    ),
                ),
                ("phone", models.CharField(blank=True, max_length=40, verbose_name="phone")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                ("wechat", models.CharField(blank=True, max_length=60, verbose_name="WeChat")),
                ("is_primary", models.BooleanField(default=False, verbose_name="first contact")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                (
                    "phone_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(models.F("phone"), function="partners_phone_key"),
                        output_field=models.TextField(),
                    ),
                ),
            ],
            options={
                "verbose_name": "contact",
                "verbose_name_plural": "contacts",
                "ordering": ["-is_primary", "name", "id"],
                "indexes": [models.Index(fields=["updated_at", "id"], name="contact_changed")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_primary", True)),
                        fields=("partner",),
                        name="contact_one_primary",
                        violation_error_message="The partner has a first contact already.",
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="contact",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at; NEW.phone_key := OLD.phone_key;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="d95ab7edee5f269e5fe1bef8998bff4b33cc8905",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_0ff94",
                    table="partners_contact",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="contact",
            trigger=pgtrigger.compiler.Trigger(
                name="follow_partner",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.partner_id IS NOT NULL)",
                    declare="DECLARE kept bigint;",
                    func="\n        IF TG_OP = 'INSERT' OR NEW.partner_id IS DISTINCT FROM OLD.partner_id THEN\n            SELECT merged_into_id INTO kept FROM partners_partner\n             WHERE id = NEW.partner_id FOR KEY SHARE;\n            NEW.partner_id := coalesce(kept, NEW.partner_id);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="a97cc616bd3b61e12e413df6276b55fc5a94514c",
                    operation='INSERT OR UPDATE OF "partner_id"',
                    pgid="pgtrigger_follow_partner_c8135",
                    table="partners_contact",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Membership",
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
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="membership",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="partners.partner",
                        verbose_name="partner",
                    ),
                ),
                (
                    "include_sub_partners",
                    models.BooleanField(default=False, verbose_name="sees the partners below"),
                ),
            ],
            options={
                "verbose_name": "portal access",
                "verbose_name_plural": "portal accesses",
                "ordering": ["user"],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="81d030bdfd8a159eaab430a9b174e6979afb023c",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_02fd9",
                    table="partners_membership",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="follow_partner",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.partner_id IS NOT NULL)",
                    declare="DECLARE kept bigint;",
                    func="\n        IF TG_OP = 'INSERT' OR NEW.partner_id IS DISTINCT FROM OLD.partner_id THEN\n            SELECT merged_into_id INTO kept FROM partners_partner\n             WHERE id = NEW.partner_id FOR KEY SHARE;\n            NEW.partner_id := coalesce(kept, NEW.partner_id);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="c06ec1bf3e59bd84ee6e351325326414ede01b28",
                    operation='INSERT OR UPDATE OF "partner_id"',
                    pgid="pgtrigger_follow_partner_0a432",
                    table="partners_membership",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="NotDuplicate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "first",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="partners.partner",
                    ),
                ),
                (
                    "second",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="partners.partner",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("said_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "pair that is not a duplicate",
                "verbose_name_plural": "pairs that are not duplicates",
                "constraints": [
                    models.UniqueConstraint(fields=("first", "second"), name="not_duplicate_once"),
                    models.CheckConstraint(
                        condition=models.Q(("first__lt", models.F("second"))),
                        name="not_duplicate_in_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Site",
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sites",
                        to="partners.partner",
                        verbose_name="partner",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("office", "Office"),
                            ("warehouse", "Warehouse"),
                            ("shop", "Shop"),
                        ],
                        default="office",
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "territory",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sites",
                        to="accounts.territory",
                        verbose_name="territory",
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=300, verbose_name="address")),
                ("postcode", models.CharField(blank=True, max_length=20, verbose_name="postcode")),
            ],
            options={
                "verbose_name": "site",
                "verbose_name_plural": "sites",
                "ordering": ["name", "id"],
                "indexes": [models.Index(fields=["updated_at", "id"], name="site_changed")],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="site",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_at",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        IF TG_OP = 'UPDATE' THEN\n            NEW.updated_at := OLD.updated_at;\n            IF NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;\n        END IF;\n        NEW.updated_at := statement_timestamp();\n        RETURN NEW;\n    ",
                    hash="2b93618b175b17c281d9bc1e1443844201d2f2c8",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_changed_at_83a7b",
                    table="partners_site",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="site",
            trigger=pgtrigger.compiler.Trigger(
                name="follow_partner",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.partner_id IS NOT NULL)",
                    declare="DECLARE kept bigint;",
                    func="\n        IF TG_OP = 'INSERT' OR NEW.partner_id IS DISTINCT FROM OLD.partner_id THEN\n            SELECT merged_into_id INTO kept FROM partners_partner\n             WHERE id = NEW.partner_id FOR KEY SHARE;\n            NEW.partner_id := coalesce(kept, NEW.partner_id);\n        END IF;\n        RETURN NEW;\n        ",
                    hash="b87ef4ce33a61ed1cdbb6084dcac42ca5b8f2d6e",
                    operation='INSERT OR UPDATE OF "partner_id"',
                    pgid="pgtrigger_follow_partner_e41f5",
                    table="partners_site",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
