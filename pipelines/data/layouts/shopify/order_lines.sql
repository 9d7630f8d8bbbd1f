-- Lines of the orders of a Shopify shop, from the same orders export. Optional: without it, orders alone are enough.

-- The one place that names the file.
WITH export AS (FROM 'orders_export.csv'),
-- What belongs to the order stands on its first line only, and is carried down to the others here.
carried AS (
    SELECT
        *,
        first_value("Email") OVER same AS order_email,
        first_value("Financial Status") OVER same AS status,
        first_value("Created at") OVER same AS ordered,
        first_value("Payment Method") OVER same AS payment_method,
        first_value("Currency") OVER same AS order_currency,
        row_number() OVER same AS line
    FROM export
    WINDOW same AS (PARTITION BY source_file, coalesce("Name", 'row ' || source_row) ORDER BY source_row)
),
-- The same orders as in orders.sql, for the same reasons.
placed AS (
    FROM carried
    WHERE
        coalesce(lower(status), 'none') NOT IN ('pending', 'authorized', 'voided', 'expired')
        AND coalesce(payment_method, '') NOT ILIKE '%bogus%'
),
usual AS (
    SELECT order_currency AS of_shop
    FROM placed
    WHERE line = 1
    GROUP BY ALL
    ORDER BY count(*) DESC, order_currency
    LIMIT 1
),
-- Figures to compute with, in units of a hundredth of a cent, so that nothing is rounded but the result. What is no
-- number is null here and passed on as text below.
figures AS (
    SELECT
        *,
        CAST(TRY_CAST("Lineitem price" AS DECIMAL(18, 4)) * 10000 AS BIGINT) AS price,
        CAST(TRY_CAST("Lineitem discount" AS DECIMAL(18, 4)) * 10000 AS BIGINT) AS discount,
        TRY_CAST("Lineitem quantity" AS BIGINT) AS pieces
    FROM placed CROSS JOIN usual
)
SELECT
    "Name" AS order_id,
    lower(order_email) AS customer_id,
    CASE
        WHEN lower(status) IN ('paid', 'partially_paid', 'partially_refunded', 'refunded') THEN ordered
        ELSE 'unknown financial status: ' || coalesce(status, 'none')
    END AS ordered_at,
    -- Articles without a stock number are known by their name.
    coalesce("Lineitem sku", "Lineitem name") AS product_id,
    "Lineitem quantity" AS quantity,
    -- The price of one piece. "Lineitem price" is before discounts, so the line's discount is shared among its pieces,
    -- to four decimals. "Discount Amount" is of the order as a whole and is not shared among lines: orders have it in
    -- their amount.
    CASE
        WHEN order_currency IS DISTINCT FROM of_shop THEN concat_ws(' ', "Lineitem price", order_currency)
        WHEN "Lineitem discount" IS NULL OR discount = 0 THEN "Lineitem price"
        WHEN pieces > 0 AND price * pieces >= discount THEN CAST(
            CAST((2 * (price * pieces - discount) + pieces) // (2 * pieces) AS DECIMAL(18, 0)) * 0.0001 AS VARCHAR
        )
        ELSE concat_ws(' less ', "Lineitem price", "Lineitem discount")
    END AS unit_price,
    "Lineitem discount" AS discount,
    of_shop AS currency
    -- When goods came back is not in the export, so no returned_at.
FROM figures
