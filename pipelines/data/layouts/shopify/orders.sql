-- Orders of a Shopify shop, from the orders export of its admin (Orders > Export > CSV). The export has one line for
-- each article of an order. What belongs to the order as a whole (status, total, times) stands on the order's first
-- line only; "Name" (the order's number, #1001) stands on each of its lines.

-- The one place that names the file; 'exports/orders*.csv' reads several, one under the other.
WITH export AS (FROM 'orders_export.csv'),
-- The first line of each order. Going by "Name" and not by an order field that is filled, none is lost.
orders AS (
    FROM export
    QUALIFY row_number() OVER (
        PARTITION BY source_file, coalesce("Name", 'row ' || source_row) ORDER BY source_row
    ) = 1
),
placed AS (
    FROM orders
    WHERE
        -- Nothing was paid: waiting for payment, only reserved on a card, or that reservation given back or run out.
        -- Such an order lands with the export in which it is paid. A shop that takes the money when it ships takes
        -- 'authorized' out of this list and puts it into the list of purchases below, here and in the other queries.
        coalesce(lower("Financial Status"), 'none') NOT IN ('pending', 'authorized', 'voided', 'expired')
        -- Shopify's payment method for test orders is the Bogus Gateway; the export has no mark of its own for tests.
        AND coalesce("Payment Method", '') NOT ILIKE '%bogus%'
),
-- The shop's currency: the one of most orders.
usual AS (SELECT "Currency" AS of_shop FROM placed GROUP BY ALL ORDER BY count(*) DESC, "Currency" LIMIT 1)
SELECT
    "Name" AS order_id,
    -- The export has no customer number. Who gave no e-mail (a sale at the till) is nobody known: see guests in the
    -- settings.
    lower("Email") AS customer_id,
    -- A status that is not listed here is not guessed at: words in the place of the time have the row rejected and
    -- counted.
    CASE
        WHEN lower("Financial Status") IN ('paid', 'partially_paid', 'partially_refunded', 'refunded') THEN "Created at"
        ELSE 'unknown financial status: ' || coalesce("Financial Status", 'none')
    END AS ordered_at,
    -- What was paid: after discounts, with shipping and taxes. Without shipping it is "Subtotal". In another currency
    -- it is no number of this shop's ('12.50 GBP'), so that the row is rejected and counted, not added.
    CASE
        WHEN "Currency" IS NOT DISTINCT FROM of_shop THEN "Total"
        ELSE concat_ws(' ', "Total", "Currency")
    END AS amount,
    "Cancelled at" AS cancelled_at,
    of_shop AS currency
    -- "Refunded Amount" is left out: the export does not say when money went back, and dated at the order it would tell
    -- the past what was not known yet. Refunded orders stay orders: the customer did come back to buy.
FROM placed CROSS JOIN usual
