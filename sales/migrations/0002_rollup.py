"""Triggers that keep sales_salesdaily equal to GROUP BY over sales_salesfact, whoever writes.

Statement level with transition tables: one grouped write a statement, not one a row. The advisory
lock orders writers: two loads, or a load and a product that changes its line, cannot each miss
what the other has not committed yet.
"""

from django.db import migrations

# A transaction with a snapshot of its own start would not see what the writer before it committed.
LOCK = """
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'sales lines are written at READ COMMITTED only'
            USING ERRCODE = 'feature_not_supported';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('sales.facts'));
"""

# Lines that come and, negated, lines that go, summed by cell, in order of the day for the BRIN.
CELLS = """
    SELECT partner_id, day, kind, product_line_id, sum(lines) AS lines, sum(net) AS net,
           coalesce(sum(returns), 0) AS returns, sum(quantity) AS quantity
      FROM ({changes}) line
     GROUP BY day, partner_id, kind, product_line_id
     ORDER BY day, partner_id, kind, product_line_id
"""
COLUMNS = "(partner_id, day, kind, product_line_id, lines, net, returns, quantity)"

# A cell whose last line has gone goes too.
MERGE = f"""
    MERGE INTO sales_salesdaily d USING ({CELLS}) c
       ON (d.partner_id, d.day, d.kind, d.product_line_id)
        = (c.partner_id, c.day, c.kind, c.product_line_id)
    WHEN MATCHED AND d.lines + c.lines = 0 THEN DELETE
    WHEN MATCHED THEN UPDATE SET
        lines = d.lines + c.lines, net = d.net + c.net,
        returns = d.returns + c.returns, quantity = d.quantity + c.quantity
    WHEN NOT MATCHED THEN INSERT {COLUMNS}
        VALUES (c.partner_id, c.day, c.kind, c.product_line_id,
                c.lines, c.net, c.returns, c.quantity);
"""

LINES = """SELECT f.partner_id, f.occurred_on AS day, f.kind, p.product_line_id, {sign}1 AS lines,
                {sign}f.amount AS net, CASE WHEN f.amount < 0 THEN {sign}f.amount END AS returns, {sign}f.quantity AS quantity
           FROM {rows} f JOIN {products} p ON p.id = f.product_id {where}"""

COME = LINES.format(sign="", rows="new_rows", products="catalog_product", where="")
GO = LINES.format(sign="-", rows="old_rows", products="catalog_product", where="")

# A session keeps the plan of its first statement, be that one line or a million. So the function
# allows one plan only, which is good for both: sort, group, and look up each cell in the index.
FACTS = f"""
CREATE FUNCTION sales_rollup_facts() RETURNS trigger LANGUAGE plpgsql
    SET enable_hashagg = off SET enable_seqscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE first date; last date;
BEGIN
    {LOCK}
    IF TG_OP = 'INSERT' THEN
        SELECT min(occurred_on), max(occurred_on) INTO first, last FROM new_rows;
        IF EXISTS (SELECT FROM sales_salesdaily WHERE day BETWEEN first AND last) THEN
            {MERGE.format(changes=COME)}
        ELSE  -- days without any sales yet: nothing to look up
            INSERT INTO sales_salesdaily {COLUMNS} {CELLS.format(changes=COME)};
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        {MERGE.format(changes=GO)}
    ELSE
        {MERGE.format(changes=f"{COME} UNION ALL {GO}")}
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER sales_rollup_insert AFTER INSERT ON sales_salesfact
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sales_rollup_facts();
CREATE TRIGGER sales_rollup_update AFTER UPDATE ON sales_salesfact
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sales_rollup_facts();
CREATE TRIGGER sales_rollup_delete AFTER DELETE ON sales_salesfact
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sales_rollup_facts();
"""

MOVED = {"rows": "sales_salesfact", "where": "WHERE f.product_id = ANY (moved)"}
COME = LINES.format(sign="", products="new_rows", **MOVED)
GO = LINES.format(sign="-", products="old_rows", **MOVED)

PRODUCTS = f"""
CREATE FUNCTION sales_rollup_products() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE moved bigint[];
BEGIN
    SELECT array_agg(n.id) INTO moved
      FROM new_rows n JOIN old_rows o USING (id) WHERE n.product_line_id <> o.product_line_id;
    IF moved IS NULL THEN RETURN NULL; END IF;
    {LOCK}
    {MERGE.format(changes=f"{COME} UNION ALL {GO}")}
    RETURN NULL;
END $$;
CREATE TRIGGER sales_rollup_product_line AFTER UPDATE ON catalog_product
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION sales_rollup_products();
"""

TRUNCATE = """
CREATE FUNCTION sales_rollup_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM sales_salesdaily;  -- not TRUNCATE: one statement may name both tables
    RETURN NULL;
END $$;
CREATE TRIGGER sales_rollup_truncate AFTER TRUNCATE ON sales_salesfact
    FOR EACH STATEMENT EXECUTE FUNCTION sales_rollup_truncate();
"""

UNDO = """
DROP TRIGGER sales_rollup_product_line ON catalog_product;
DROP TRIGGER sales_rollup_truncate ON sales_salesfact;
DROP TRIGGER sales_rollup_insert ON sales_salesfact;
DROP TRIGGER sales_rollup_update ON sales_salesfact;
DROP TRIGGER sales_rollup_delete ON sales_salesfact;
DROP FUNCTION sales_rollup_products(), sales_rollup_facts(), sales_rollup_truncate();
"""


class Migration(migrations.Migration):
    dependencies = [("sales", "0001_initial")]

    operations = [migrations.RunSQL(FACTS + PRODUCTS + TRUNCATE, UNDO)]
