-- Orders of a WooCommerce shop, from the extension "Customer/Order/Coupon Export", format "Default" (one row per
-- order). What WooCommerce itself offers under Analytics > Orders > Download names customers by first and last name
-- alone, so that nobody can be followed by it.

-- The one place that names the file; 'exports/orders-export-*.csv' reads several, one under the other.
WITH export AS (FROM 'orders-export.csv'),
-- WooCommerce stores 'wc-completed' and shows 'completed': both are read.
stated AS (SELECT *, regexp_replace(lower(coalesce(status, 'none')), '^wc-', '') AS state FROM export),
placed AS (
    FROM stated
    -- Nothing was paid (waiting for it, failed), or the order was called off; the export does not say when it was, so
    -- it cannot be told until when it stood.
    WHERE state NOT IN ('pending', 'on-hold', 'failed', 'cancelled', 'checkout-draft', 'auto-draft', 'draft', 'trash')
),
-- The shop's currency: the one of most orders.
usual AS (SELECT order_currency AS of_shop FROM placed GROUP BY ALL ORDER BY count(*) DESC, order_currency LIMIT 1),
-- "refunds" holds all refunds of an order: id:7|date:2025-03-01 10\:00\:00|amount:5.00|reason:...;id:8|date:...
given_back AS (
    SELECT
        *,
        -- The last of them, without the backslashes that the extension puts before colons.
        replace(
            list_max(regexp_extract_all(refunds, '(?:^|;)id:\d+\|date:((?:[^|\\]|\\.)*)\|', 1)), '\:', ':'
        ) AS last_refund_at,
        coalesce(TRY_CAST(refunded_total AS DECIMAL(18, 4)) <> 0, refunded_total IS NOT NULL) AS went_back
    FROM placed CROSS JOIN usual
)
SELECT
    order_id,
    -- The e-mail that was given with the order, for guests and account holders alike: "customer_id" is 0 for guests,
    -- and who buys with an account today and without one tomorrow would be two customers.
    lower(billing_email) AS customer_id,
    -- Plugins add statuses of their own. One that is not listed is not guessed at: words in the place of the time have
    -- the row rejected and counted. Put it into this list if it is a purchase, and into the one above if it is not.
    CASE
        WHEN state IN ('processing', 'completed', 'refunded') THEN "date"
        ELSE 'unknown status: ' || state
    END AS ordered_at,
    -- What was paid: after discounts, with shipping, fees and taxes. In another currency it is no number of this shop's
    -- ('12.50 GBP'), so that the row is rejected and counted, not added.
    CASE
        WHEN order_currency IS NOT DISTINCT FROM of_shop THEN order_total
        ELSE concat_ws(' ', order_total, order_currency)
    END AS amount,
    -- All that went back counts from the last refund on: earlier than it was known nothing counts, and the first of
    -- several refunds counts late. Where the export has an amount and no date, nothing is told of it.
    CASE WHEN went_back THEN last_refund_at END AS refunded_at,
    CASE WHEN went_back AND last_refund_at IS NOT NULL THEN refunded_total END AS refunded_amount,
    of_shop AS currency
FROM given_back
