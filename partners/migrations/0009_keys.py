"""More that says nothing in names and phones of one company: the forms of sole traders and
partnerships, which the law wants in brackets, signs of other keyboards; extensions, a second number
after the first, and an area code that keeps its zero after that of the country."""

import importlib

from django.db import migrations

NAME_KEY = r"""
CREATE OR REPLACE FUNCTION partners_name_key(name text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT regexp_replace(
        regexp_replace(
            regexp_replace(
                lower(normalize(name, NFKC)),
                '([\s.,()-]+(co|company|corp|corporation|inc|incorporated|llc|llp|ltd|limited|plc|pte|pty|pvt|gmbh|group))+[\s.,()]*$', ''),
            '[]\s()\[{}<>.,;:''"`·・•_/\\&+*#!?|~^‐‒–—−、。“”‘’《》〈〉【】〔〕「」『』\u200b\ufeff-]', '', 'g'),
        '(集团|控股|股份|有限|责任|公司|个体工商户|个人独资|有限合伙|普通合伙)+$', '')
$$;
"""
# From the inside out: the first of several numbers; without its extension, which follows a word or
# the eight digits of a line; the digits without the code of the country and leading zeros.
PHONE_KEY = r"""
CREATE OR REPLACE FUNCTION partners_phone_key(phone text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT CASE WHEN length(digits) BETWEEN 7 AND 13 THEN digits ELSE '' END
      FROM (SELECT ltrim(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
                lower(normalize(phone, NFKC)),
                '^(([^0-9/、,;]*[0-9]){7,}[^0-9/、,;]*)[/、,;].*$', '\1'),
                '(转|轉|分机|分機|ext|x|#)[^0-9]*[0-9]{1,6}[^0-9]*$', ''),
                '(^|[^0-9])(0[0-9]{9,11}|[2-9][0-9]{6,7})-[0-9]{1,6}\s*$', '\1\2'),
                '[^0-9]', '', 'g'),
                '^(00)?86(?=[0-9]{10,12}$)', ''), '0') AS digits) d
$$;
"""
# What is generated is written anew with what it is generated from.
AGAIN = """
UPDATE partners_partner SET name = name, legal_name = legal_name;
UPDATE partners_contact SET phone = phone;
"""
earlier = importlib.import_module("partners.migrations.0007_merge")


class Migration(migrations.Migration):
    dependencies = [
        ("partners", "0008_changed_at_generated"),
    ]

    operations = [
        migrations.RunSQL(
            NAME_KEY + PHONE_KEY + AGAIN,
            (earlier.NAME_KEY + earlier.PHONE_KEY).replace(
                "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
            )
            + AGAIN,
        ),
    ]
