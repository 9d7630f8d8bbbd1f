-- Customers of a Shopify shop, from the orders export. Optional. Shopify's customers export is of no use here: it says
-- how much was spent as of today, which no past day knew, and not since when somebody is a customer.

-- The one place that names the file.
WITH export AS (FROM 'orders_export.csv'),
-- The first line of each order: what belongs to the order stands there.
orders AS (
    FROM export
    QUALIFY row_number() OVER (
        PARTITION BY source_file, coalesce("Name", 'row ' || source_row) ORDER BY source_row
    ) = 1
)
SELECT
    lower("Email") AS customer_id,
    -- A customer since the first order in the export: if the export does not reach back to the shop's beginning, since
    -- then.
    "Created at" AS signed_up_at,
    -- Of the first order, so that nothing is told that came to be known later.
    coalesce("Billing Country", "Shipping Country") AS country,
    -- Where the first order was placed: web, pos (the till), or the number of an app.
    "Source" AS acquisition_channel
FROM orders
-- Purchases as in orders.sql; nobody is a customer who is not known.
WHERE
    lower("Financial Status") IN ('paid', 'partially_paid', 'partially_refunded', 'refunded')
    AND coalesce("Payment Method", '') NOT ILIKE '%bogus%'
    AND "Email" IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY lower("Email") ORDER BY "Created at", source_file, source_row) = 1
