-- What a PrestaShop shop gave back, from the SQL Manager: each credit slip is a credit note of its own day. Optional.
-- To be saved and exported there:
--
--   SELECT l.id_order_slip, l.id_order, l.id_customer, k.is_guest, c.iso_code, l.conversion_rate,
--     l.total_products_tax_incl, l.total_shipping_tax_incl, l.partial, l.date_add
--   FROM ps_order_slip l
--   LEFT JOIN ps_orders o ON o.id_order = l.id_order
--   LEFT JOIN ps_customer k ON k.id_customer = l.id_customer
--   LEFT JOIN ps_currency c ON c.id_currency = o.id_currency

-- The one place that names the file.
WITH export AS (FROM 'request_sql_3.csv'),
own AS (
    SELECT iso_code AS of_shop
    FROM export
    WHERE TRY_CAST(conversion_rate AS DECIMAL(13, 6)) = 1
    GROUP BY ALL
    ORDER BY count(*) DESC, iso_code
    LIMIT 1
),
-- Products and shipping together, in millionths. An empty sum is none.
figures AS (
    SELECT
        *,
        CAST(
            (
                TRY_CAST(coalesce(total_products_tax_incl, '0') AS DECIMAL(20, 6))
                + TRY_CAST(coalesce(total_shipping_tax_incl, '0') AS DECIMAL(20, 6))
            ) * 1000000 AS HUGEINT
        ) AS total,
        CAST(TRY_CAST(conversion_rate AS DECIMAL(13, 6)) * 1000000 AS HUGEINT) AS rate
    FROM export
)
SELECT
    -- Orders and slips are both counted from 1.
    'slip-' || id_order_slip AS order_id,
    CASE WHEN coalesce(is_guest, '0') <> '1' THEN id_customer END AS customer_id,
    date_add AS ordered_at,
    -- Below zero, as a credit note is, in the shop's own currency, to four decimals.
    CASE
        WHEN total > 0 AND rate > 0
            THEN '-' || CAST(CAST((20000 * total + rate) // (2 * rate) AS DECIMAL(18, 0)) * 0.0001 AS VARCHAR)
        ELSE concat(total_products_tax_incl, ' and ', total_shipping_tax_incl, ' at ', conversion_rate)
    END AS amount,
    (SELECT of_shop FROM own) AS currency
FROM figures
-- A slip over nothing would read as an order over nothing.
WHERE total IS DISTINCT FROM 0
