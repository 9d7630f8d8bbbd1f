-- Orders of a PrestaShop shop, from the back office's SQL Manager (Advanced Parameters > Database), where this is saved
-- as a query and exported; "ps_" is the usual prefix of tables:
--
--   SELECT o.id_order, o.reference, o.id_shop, o.id_customer, k.is_guest, c.iso_code, o.conversion_rate, o.payment,
--     o.total_discounts_tax_incl, o.total_products_wt, o.total_shipping_tax_incl, o.total_paid_tax_incl,
--     o.total_paid_real, o.date_add, h.id_order_history, h.date_add AS state_date, h.id_order_state, s.logable, s.paid
--   FROM ps_orders o
--   LEFT JOIN ps_customer k ON k.id_customer = o.id_customer
--   LEFT JOIN ps_currency c ON c.id_currency = o.id_currency
--   LEFT JOIN ps_order_history h ON h.id_order = o.id_order
--   LEFT JOIN ps_order_state s ON s.id_order_state = h.id_order_state
--
-- It has one line for each state that an order was in. The export of the orders' list is of no use: it names customers
-- by an initial and a last name, and says of an order's states the last alone.

-- The one place that names the file.
WITH export AS (FROM 'request_sql_1.csv'),
states AS (
    SELECT
        *,
        -- Whether the order was ever in a state that PrestaShop counts as paid or as a sale ("Consider the associated
        -- order as validated"). Waiting for a transfer or a cheque, payment errors and the like are neither.
        coalesce(bool_or(paid = '1' OR logable = '1') OVER (PARTITION BY source_file, id_order), false) AS bought,
        -- 1 is the state it is in now.
        row_number() OVER (
            PARTITION BY source_file, id_order ORDER BY state_date DESC, TRY_CAST(id_order_history AS BIGINT) DESC
        ) AS ago
    FROM export
),
-- The shop's own currency is the one that is worth 1.
own AS (
    SELECT iso_code AS of_shop
    FROM export
    WHERE TRY_CAST(conversion_rate AS DECIMAL(13, 6)) = 1
    GROUP BY ALL
    ORDER BY count(*) DESC, iso_code
    LIMIT 1
),
-- Figures to compute with, in millionths, so that nothing is rounded but the result. What is no number is null here.
figures AS (
    SELECT
        *,
        CAST(TRY_CAST(total_paid_tax_incl AS DECIMAL(20, 6)) * 1000000 AS HUGEINT) AS total,
        CAST(TRY_CAST(conversion_rate AS DECIMAL(13, 6)) * 1000000 AS HUGEINT) AS rate
    FROM states
    -- One line per order, the state that it is in now; orders that never were a purchase are left out.
    WHERE ago = 1 AND bought
)
SELECT
    id_order AS order_id,
    -- Each purchase as a guest gets a customer number of its own, by which nobody can be followed: nobody known.
    CASE WHEN coalesce(is_guest, '0') <> '1' THEN id_customer END AS customer_id,
    date_add AS ordered_at,
    -- What was to be paid: after discounts, with shipping and taxes, in the shop's own currency at the order's own
    -- rate, to four decimals. What is no number is passed on as text, so that the row is rejected and counted.
    CASE
        WHEN total >= 0 AND rate > 0
            THEN CAST(CAST((20000 * total + rate) // (2 * rate) AS DECIMAL(18, 0)) * 0.0001 AS VARCHAR)
        ELSE concat_ws(' at ', total_paid_tax_incl, conversion_rate)
    END AS amount,
    -- 6 is PrestaShop's own "Canceled"; add the number of a state of your own that means the same. Only where the order
    -- was paid before and is cancelled now.
    CASE WHEN id_order_state IN ('6') THEN state_date END AS cancelled_at,
    (SELECT of_shop FROM own) AS currency
    -- Nothing of refunds here: what went back stands with its day on credit slips, see refunds.sql.
FROM figures
