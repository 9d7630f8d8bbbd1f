-- Customers of a WooCommerce shop, from the same extension's export of customers, format "Default". Optional.

-- The one place that names the file.
WITH export AS (FROM 'customers-export.csv')
SELECT
    -- As in orders.sql: the e-mail of the bill, or that of the account where there is no bill yet.
    lower(coalesce(billing_email, email)) AS customer_id,
    date_registered AS signed_up_at,
    billing_country AS country
FROM export
-- The export also lists guests, who never signed up.
WHERE date_registered IS NOT NULL
-- Two accounts with one e-mail on the bill are one customer, since the first.
QUALIFY row_number() OVER (
    PARTITION BY lower(coalesce(billing_email, email)) ORDER BY date_registered, source_file, source_row
) = 1
