-- Stripe dashboard, Customers, Export. One row is one customer object. The same person may have several, one for each
-- checkout: with one e-mail address they are one customer here, who came when the first was made.
WITH export AS (FROM 'customers.csv')

SELECT
    coalesce(lower("Email"), "id") AS customer_id,  -- as in subscriptions.sql
    -- With or without seconds, by the age of the export; UTC.
    regexp_replace("Created (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS signed_up_at
    -- Country: no heading of it is documented. Total Spend, Delinquent and the like are sums as of today: left out.
FROM export
QUALIFY row_number() OVER (
    PARTITION BY coalesce(lower("Email"), "id") ORDER BY "Created (UTC)", source_file, source_row
) = 1
