"""Triggers that keep sales_salesdaily equal to GROUP BY over sales_salesfact, whoever writes.

Statement level with transition tables: one grouped write a statement, not one a row. The advisory
lock orders writers: two loads, or a load and a product that changes its line, cannot each miss
what the other has not committed yet.
"""

from django.db import migrations

LOCK = "PERFORM pg_advisory_xact_lock(hashtext('sales.facts'));"

ADD = """
    INSERT INTO sales_salesdaily AS d
        (partner_id, day, kind, product_line_id, lines, net, returns, quantity)
    SELECT f.partner_id, f.occurred_on, f.kind, p.product_line_id, count(*), sum(f.amount),
           coalesce(sum(f.amount) FILTER (WHERE f.amount < 0), 0), sum(f.quantity)
      FROM {rows} f JOIN catalog_product p ON p.id = f.product_id
     {where}
     GROUP BY f.occurred_on, f.partner_id, f.kind, p.product_line_id
     ORDER BY f.occurred_on, f.partner_id, f.kind, p.product_line_id
    ON CONFLICT (partner_id, day, kind, product_line_id) DO UPDATE SET
        lines = d.lines + excluded.lines, net = d.net + excluded.net,
        returns = d.returns + excluded.returns, quantity = d.quantity + excluded.quantity;
"""

# Subtracted rows exist (the rollup is exact); one whose last line has gone goes too.
SUBTRACT = """
    WITH gone AS (
        SELECT f.partner_id, f.occurred_on AS day, f.kind, p.product_line_id, count(*) AS lines,
               sum(f.amount) AS net, sum(f.quantity) AS quantity,
               coalesce(sum(f.amount) FILTER (WHERE f.amount < 0), 0) AS returns
          FROM {rows} f JOIN {products} p ON p.id = f.product_id
         {where}
         GROUP BY f.partner_id, f.occurred_on, f.kind, p.product_line_id
    ), emptied AS (
        DELETE FROM sales_salesdaily d USING gone g
         WHERE (d.partner_id, d.day, d.kind, d.product_line_id)
             = (g.partner_id, g.day, g.kind, g.product_line_id) AND d.lines = g.lines
    )
    UPDATE sales_salesdaily d
       SET lines = d.lines - g.lines, net = d.net - g.net,
           returns = d.returns - g.returns, quantity = d.quantity - g.quantity
      FROM gone g
     WHERE (d.partner_id, d.day, d.kind, d.product_line_id)
         = (g.partner_id, g.day, g.kind, g.product_line_id) AND d.lines <> g.lines;
"""

FACTS = f"""
CREATE FUNCTION sales_rollup_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {LOCK}
    IF TG_OP <> 'DELETE' THEN
        {ADD.format(rows="new_rows", where="")}
    END IF;
    IF TG_OP <> 'INSERT' THEN
        {SUBTRACT.format(rows="old_rows", products="catalog_product", where="")}
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

MOVED = "WHERE f.product_id = ANY (moved)"

PRODUCTS = f"""
CREATE FUNCTION sales_rollup_products() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE moved bigint[];
BEGIN
    SELECT array_agg(n.id) INTO moved
      FROM new_rows n JOIN old_rows o USING (id) WHERE n.product_line_id <> o.product_line_id;
    IF moved IS NULL THEN RETURN NULL; END IF;
    {LOCK}
    {ADD.format(rows="sales_salesfact", where=MOVED)}
    {SUBTRACT.format(rows="sales_salesfact", products="old_rows", where=MOVED)}
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
