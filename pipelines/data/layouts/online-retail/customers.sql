-- Customers in the layout of the data set "Online Retail" (UCI): each as of the first invoice. Optional: it gives
-- countries.

-- The one place that names the file.
WITH export AS (FROM 'online_retail.csv'),
-- No rows, but both spellings of each heading, as in order_lines.sql.
both_editions AS (
    FROM export
    UNION ALL BY NAME
    SELECT
        NULL::VARCHAR AS "Invoice",
        NULL::VARCHAR AS "InvoiceNo",
        NULL::VARCHAR AS "StockCode",
        NULL::VARCHAR AS "InvoiceDate",
        NULL::VARCHAR AS "Customer ID",
        NULL::VARCHAR AS "CustomerID",
        NULL::VARCHAR AS "Country"
    WHERE false
),
lines AS (
    SELECT
        upper(trim(coalesce("InvoiceNo", "Invoice"))) AS invoice,
        upper(trim("StockCode")) AS code,
        "InvoiceDate" AS written_at,
        nullif(regexp_replace(trim(coalesce("CustomerID", "Customer ID")), '\.0+$', ''), '') AS customer,
        "Country" AS country_name
    FROM both_editions
)
SELECT
    customer AS customer_id,
    -- A customer since the first invoice in the file.
    written_at AS signed_up_at,
    -- As that invoice says, so that nothing is told that came to be known later. "Unspecified" is not recorded.
    nullif(country_name, 'Unspecified') AS country
FROM lines
WHERE
    customer IS NOT NULL
    -- Purchases as in order_lines.sql, and no cancellations, which begin with C.
    AND invoice NOT LIKE 'C%'
    AND coalesce(code, '') NOT IN ('B', 'ADJUST', 'ADJUST2', 'BANK CHARGES', 'AMAZONFEE', 'CRUK', 'S')
    AND coalesce(code, '') NOT LIKE 'TEST%'
-- The numbers of invoices rise with time and are of one length, and dates need not be: 12/1/2010 is before 2/1/2011.
QUALIFY row_number() OVER (PARTITION BY customer ORDER BY invoice, written_at, country_name) = 1
