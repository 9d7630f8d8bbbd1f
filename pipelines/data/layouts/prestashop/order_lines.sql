-- Lines of the orders of a PrestaShop shop, from the SQL Manager. Optional. To be saved and exported there:
--
--   SELECT d.id_order_detail, d.id_order, o.id_customer, k.is_guest, c.iso_code, o.conversion_rate, o.valid,
--     o.invoice_number, o.date_add, d.product_id, d.product_attribute_id, d.product_reference, d.product_name,
--     d.product_quantity, d.product_quantity_refunded, d.product_quantity_return, d.unit_price_tax_incl,
--     d.total_price_tax_incl, p.id_category_default
--   FROM ps_order_detail d
--   LEFT JOIN ps_orders o ON o.id_order = d.id_order
--   LEFT JOIN ps_customer k ON k.id_customer = o.id_customer
--   LEFT JOIN ps_currency c ON c.id_currency = o.id_currency
--   LEFT JOIN ps_product p ON p.id_product = d.product_id

-- The one place that names the file.
WITH export AS (FROM 'request_sql_2.csv'),
own AS (
    SELECT iso_code AS of_shop
    FROM export
    WHERE TRY_CAST(conversion_rate AS DECIMAL(13, 6)) = 1
    GROUP BY ALL
    ORDER BY count(*) DESC, iso_code
    LIMIT 1
),
-- Figures to compute with, in millionths, as in orders.sql.
figures AS (
    SELECT
        *,
        CAST(TRY_CAST(unit_price_tax_incl AS DECIMAL(20, 6)) * 1000000 AS HUGEINT) AS price,
        CAST(TRY_CAST(conversion_rate AS DECIMAL(13, 6)) * 1000000 AS HUGEINT) AS rate
    FROM export
    -- Purchases: orders that count as a sale now, or that got an invoice once, as paid ones do.
    WHERE coalesce(valid, '0') = '1' OR coalesce(invoice_number, '0') <> '0'
)
SELECT
    id_order AS order_id,
    CASE WHEN coalesce(is_guest, '0') <> '1' THEN id_customer END AS customer_id,
    date_add AS ordered_at,
    -- The product, whatever its size and colour.
    product_id,
    -- The number of its main category, as of today.
    id_category_default AS category,
    product_quantity AS quantity,
    -- After reductions of the product's price, with tax, in the shop's own currency at the order's own rate, to four
    -- decimals. Vouchers are of the order as a whole and are not shared among lines: orders have them in their amount.
    CASE
        WHEN price >= 0 AND rate > 0
            THEN CAST(CAST((20000 * price + rate) // (2 * rate) AS DECIMAL(18, 0)) * 0.0001 AS VARCHAR)
        ELSE concat_ws(' at ', unit_price_tax_incl, conversion_rate)
    END AS unit_price,
    (SELECT of_shop FROM own) AS currency
    -- "product_quantity_return" has no date, so no returned_at.
FROM figures
