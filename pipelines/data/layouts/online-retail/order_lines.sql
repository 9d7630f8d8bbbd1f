-- Lines of invoices in the layout of the data set "Online Retail" (UCI), of both its editions: InvoiceNo, UnitPrice and
-- CustomerID, or Invoice, Price and "Customer ID". CSV and Parquet alike: all is passed on as text.

-- The one place that names the file.
WITH export AS (FROM 'online_retail.csv'),
-- No rows, but both spellings of each heading, so that those of the other edition are there and empty.
both_editions AS (
    FROM export
    UNION ALL BY NAME
    SELECT
        NULL::VARCHAR AS "Invoice",
        NULL::VARCHAR AS "InvoiceNo",
        NULL::VARCHAR AS "StockCode",
        NULL::VARCHAR AS "Quantity",
        NULL::VARCHAR AS "InvoiceDate",
        NULL::VARCHAR AS "Price",
        NULL::VARCHAR AS "UnitPrice",
        NULL::VARCHAR AS "Customer ID",
        NULL::VARCHAR AS "CustomerID"
    WHERE false
),
lines AS (
    SELECT
        upper(trim(coalesce("InvoiceNo", "Invoice"))) AS invoice,
        upper(trim("StockCode")) AS code,
        "Quantity" AS pieces,
        "InvoiceDate" AS written_at,
        coalesce("UnitPrice", "Price") AS price,
        -- Programs that take a column with gaps for fractions write customer 13085 as 13085.0.
        nullif(regexp_replace(trim(coalesce("CustomerID", "Customer ID")), '\.0+$', ''), '') AS customer
    FROM both_editions
)
SELECT
    -- An invoice that begins with C is a cancellation: its quantities are below zero, and as a credit note it takes its
    -- value away on its own day, with the customer, and not from the invoice that it cancels, which it does not name.
    invoice AS order_id,
    -- A quarter of all lines names no customer: nobody known, see guests in the settings.
    customer AS customer_id,
    written_at AS ordered_at,
    -- Postage (POST, DOT, C2, C3), discounts (D), entries by hand (M) and the like are part of what was paid, and no
    -- products.
    CASE WHEN code NOT IN ('POST', 'DOT', 'C2', 'C3', 'D', 'M') THEN code END AS product_id,
    pieces AS quantity,
    price AS unit_price
FROM lines
WHERE
    -- Bookkeeping: bad debts (product B, on invoices that begin with A), adjustments, charges of the bank, fees of a
    -- market place, a charity's share, samples. No purchases.
    coalesce(code, '') NOT IN ('B', 'ADJUST', 'ADJUST2', 'BANK CHARGES', 'AMAZONFEE', 'CRUK', 'S')
    -- Test products, TEST001 and so on.
    AND coalesce(code, '') NOT LIKE 'TEST%'
    -- Fewer than none on an invoice that is no cancellation: goods that broke or were lost, at no price and of no
    -- customer.
    AND NOT (coalesce(pieces, '') LIKE '-%' AND coalesce(invoice, '') NOT LIKE 'C%')
    -- Whoever reads both years: 1 to 9 December 2010 stand in both sheets. Leave them out of the first, with this line
    -- in the query that reads it: AND written_at < '2010-12-01'
