-- Lines of the orders of a WooCommerce shop, from the same extension's format "Default - One Row per Item". Optional.
-- Each row has the fields of its order again, so nothing is carried down. An order without articles has no row in it.

-- The one place that names the file.
WITH export AS (FROM 'orders-export-items.csv'),
stated AS (SELECT *, regexp_replace(lower(coalesce(status, 'none')), '^wc-', '') AS state FROM export),
-- The same orders as in orders.sql, for the same reasons.
placed AS (
    FROM stated
    WHERE state NOT IN ('pending', 'on-hold', 'failed', 'cancelled', 'checkout-draft', 'auto-draft', 'draft', 'trash')
),
usual AS (
    SELECT order_currency AS of_shop
    FROM placed
    GROUP BY ALL
    ORDER BY count(DISTINCT order_id) DESC, order_currency
    LIMIT 1
),
-- Figures to compute with, in units of a hundredth of a cent, so that nothing is rounded but the result. What is no
-- number is null here and passed on as text below. An empty tax is none.
figures AS (
    SELECT
        *,
        CAST(TRY_CAST(item_quantity AS DECIMAL(18, 4)) * 10000 AS BIGINT) AS pieces,
        CAST(
            (TRY_CAST(item_total AS DECIMAL(18, 4)) + TRY_CAST(coalesce(item_total_tax, '0') AS DECIMAL(18, 4))) * 10000
            AS BIGINT
        ) AS paid,
        TRY_CAST(item_subtotal AS DECIMAL(18, 4)) + TRY_CAST(coalesce(item_subtotal_tax, '0') AS DECIMAL(18, 4))
        - TRY_CAST(item_total AS DECIMAL(18, 4)) - TRY_CAST(coalesce(item_total_tax, '0') AS DECIMAL(18, 4)) AS less
    FROM placed CROSS JOIN usual
)
SELECT
    order_id,
    lower(billing_email) AS customer_id,
    CASE
        WHEN state IN ('processing', 'completed', 'refunded') THEN "date"
        ELSE 'unknown status: ' || state
    END AS ordered_at,
    -- Articles without a stock number are known by WooCommerce's own number.
    coalesce(item_sku, item_product_id) AS product_id,
    item_quantity AS quantity,
    -- "item_total" is of the whole line, after coupons and without tax: with its tax, shared among the pieces, to four
    -- decimals.
    CASE
        WHEN order_currency IS DISTINCT FROM of_shop THEN concat_ws(' ', item_total, order_currency)
        WHEN pieces > 0 AND paid >= 0
            THEN CAST(CAST((20000 * paid + pieces) // (2 * pieces) AS DECIMAL(18, 0)) * 0.0001 AS VARCHAR)
        ELSE concat(item_total, ' and ', item_total_tax, ' for ', item_quantity)
    END AS unit_price,
    -- "item_subtotal" is the same before coupons.
    coalesce(CAST(less AS VARCHAR), item_subtotal) AS discount,
    of_shop AS currency
    -- "item_refunded" has no date here, so no returned_at.
FROM figures
