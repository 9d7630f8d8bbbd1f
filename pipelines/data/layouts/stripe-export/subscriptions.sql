-- Stripe dashboard, Billing > Subscriptions, status "All", Export, all columns. One row is one subscription as it
-- stands today. What it was before (a cheaper plan, fewer seats, a notice taken back, a pause) is not in the file and
-- is not made up: there is no table of changes. Price, plan and quantity of today (of an ended one: its last) stand
-- for the whole life of the subscription until a second export shows that they changed.
WITH export AS (FROM 'subscriptions.csv'),

-- Exports of several days may overlap ('subscriptions-*.csv'): of one subscription the file with the last name holds.
newest AS (
    FROM export
    QUALIFY row_number() OVER (
        PARTITION BY coalesce("id", concat(source_file, source_row)) ORDER BY source_file DESC, source_row DESC
    ) = 1
),

-- The customer is the e-mail address in small letters, as in shops: support tickets find it, and who comes back under a
-- new Stripe customer is the same one. Stripe's own id where there is no address.
people AS (
    SELECT
        "Customer ID" AS stripe_id,
        coalesce(arg_max(lower("Customer Email"), source_file), "Customer ID") AS customer
    FROM export
    GROUP BY "Customer ID"
),

-- What your coupons take off, as the export has only their names: one line each, per cent or an amount per invoice
-- period. A subscription with a coupon that is not listed here has an unknown price (empty), not the full one.
coupons(coupon, percent_off, amount_off) AS (VALUES
    ('(an example)', 20.00, 0.00)
),

-- Columns that an export may lack: empty then. Every other column must be there, or the query stops and names it.
filled AS (
    FROM newest
    UNION ALL BY NAME
    SELECT
        NULL::VARCHAR AS "Currency",              -- empty: the workspace's
        NULL::VARCHAR AS "Coupon",                -- empty: no discount is known
        NULL::VARCHAR AS "Start Date (UTC)",      -- empty: begun when it was created
        NULL::VARCHAR AS "Cancel At Period End",  -- empty: not known whether it renews by itself
        NULL::VARCHAR AS "Cancellation Reason"    -- empty: not known why it ended
    WHERE false
),

-- Dates are written with or without seconds, by the age of the export: all get seconds. Anything else stays as it is
-- and is refused when it is read.
dated AS (
    SELECT * REPLACE (
        regexp_replace("Created (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS "Created (UTC)",
        regexp_replace("Start Date (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS "Start Date (UTC)",
        regexp_replace("Current Period Start (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS "Current Period Start (UTC)",
        regexp_replace("Current Period End (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS "Current Period End (UTC)",
        regexp_replace("Trial End (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS "Trial End (UTC)",
        regexp_replace("Canceled At (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS "Canceled At (UTC)",
        regexp_replace("Ended At (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS "Ended At (UTC)"
    )
    FROM filled
),

-- An interval is "month", "year", or "3 months" and the like. Exactly, in whole numbers: so many times the price in so
-- many months. A week is 12/52 of a month, a day 12/365. An interval of another kind leaves both empty.
timed AS (
    SELECT
        dated.*,
        coupons.coupon AS coupon_listed,
        coalesce(coupons.percent_off, 0)::DECIMAL(5, 2) AS percent_off,
        coalesce(coupons.amount_off, 0)::DECIMAL(18, 4) AS amount_off,
        CASE regexp_extract("Interval", '\d+') WHEN '' THEN 1
            ELSE try_cast(regexp_extract("Interval", '\d+') AS INTEGER)::HUGEINT END AS every,
        CASE regexp_extract(lower("Interval"), '^(?:every )?(?:\d+ )?(day|week|month|year)s?$', 1)
            WHEN 'month' THEN 1 WHEN 'year' THEN 1 WHEN 'week' THEN 52 WHEN 'day' THEN 365
        END AS times,
        CASE regexp_extract(lower("Interval"), '^(?:every )?(?:\d+ )?(day|week|month|year)s?$', 1)
            WHEN 'month' THEN 1 WHEN 'year' THEN 12 WHEN 'week' THEN 12 WHEN 'day' THEN 12
        END AS months
    FROM dated
    LEFT JOIN coupons ON coupons.coupon = dated."Coupon"
),

-- What one invoice period brings, in hundred-millionths, as a whole number: Amount is the price of one unit, in units
-- of the currency and not in cents (yen and other currencies without cents likewise), before tax.
listed AS (
    SELECT
        *,
        (try_cast("Amount" AS DECIMAL(18, 4)) * 10000)::HUGEINT * try_cast("Quantity" AS INTEGER)
        * (10000 - (percent_off * 100)::HUGEINT) - (amount_off * 10000)::HUGEINT * 10000 AS after_coupon
    FROM timed
),

-- A coupon takes no more than there is. (Not greatest(), which makes a 0 of what is no number.)
priced AS (
    SELECT *, CASE WHEN amount_off > 0 AND after_coupon < 0 THEN 0 ELSE after_coupon END AS period FROM listed
)

SELECT
    "id" AS subscription_id,
    people.customer AS customer_id,
    coalesce("Start Date (UTC)", "Created (UTC)") AS started_at,
    -- One entered later with an earlier start (taken over from another system) was known here from its entry on.
    "Created (UTC)" AS known_at,
    "Plan" AS plan,
    CASE
        WHEN "Amount" IS NULL OR "Quantity" IS NULL THEN NULL    -- by usage, in tiers, or of several prices: unknown
        WHEN "Coupon" IS NOT NULL AND coupon_listed IS NULL THEN NULL   -- a discount of unknown size: unknown
        WHEN times IS NULL THEN concat('interval ', "Interval")  -- no number: the row is refused, and says so
        -- Rounded half up to four decimals, without a fraction in between: (a + b / 2) / b in whole numbers.
        ELSE coalesce(
            (((period * times + 5000 * months * every) // (10000 * months * every))::DECIMAL(34, 0) * 0.0001)::VARCHAR,
            concat("Amount", ' x ', "Quantity")                  -- one of the two is no number: refused
        )
    END AS mrr,
    "Quantity" AS seats,                                         -- units of the plan; seats where you sell by seat
    -- A trial is a subscription that has begun and is not paid for until this moment: not one at a price of 0, which
    -- would be a free plan for good.
    "Trial End (UTC)" AS trial_ends_at,
    "Current Period Start (UTC)" AS term_started_at,             -- of today: counts from the export on
    "Current Period End (UTC)" AS renews_at,                     -- of today: counts from the export on
    CASE lower("Cancel At Period End") WHEN 'true' THEN 'false' WHEN 'false' THEN 'true'
        ELSE "Cancel At Period End" END AS auto_renew,           -- of today: counts from the export on
    -- When notice was given, also where it is to end with the period. Not the customer's notice where Stripe ended it
    -- because no payment came or one was disputed.
    CASE WHEN coalesce("Cancellation Reason", '') NOT IN ('payment_failed', 'payment_disputed')
        THEN "Canceled At (UTC)" END AS cancel_requested_at,
    -- Ended ones have a date, or are refused: without it they would look as if they ran. past_due and unpaid run on:
    -- payments fail, and nobody has ended them. A status that is not known here is refused.
    CASE
        WHEN "Status" = 'canceled' THEN coalesce("Ended At (UTC)", 'canceled without Ended At')
        WHEN "Status" IN ('active', 'trialing', 'past_due', 'unpaid') THEN "Ended At (UTC)"
        ELSE concat('status ', coalesce("Status", 'empty'))
    END AS ended_at,
    CASE WHEN "Ended At (UTC)" IS NOT NULL THEN "Cancellation Reason" END AS end_reason,
    "Currency" AS currency
FROM priced
LEFT JOIN people ON people.stripe_id = priced."Customer ID"
-- Left out, as nothing was ever paid for them and nothing runs: the first payment did not come (incomplete, and
-- incomplete_expired after a day), or the trial ended without a payment method (paused).
WHERE coalesce("Status", '') NOT IN ('incomplete', 'incomplete_expired', 'paused')
    -- AND upper("Currency") = 'EUR'    -- with several currencies: one workspace each, and this line without its dashes
