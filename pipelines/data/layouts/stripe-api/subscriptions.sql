-- Stripe's API, subscriptions of every status, as they stand now. What changed in the last 30 days is told by
-- subscription_changes.sql; what changed before the first fetch is not known: price, plan and seats of then stand for
-- the life of the subscription until then.
WITH subscriptions AS (
    SELECT id::VARCHAR AS id, object::JSON AS object FROM 'fetched/stripe/subscriptions.jsonl' WHERE id IS NOT NULL
),
customers AS (
    SELECT id::VARCHAR AS id, object::JSON AS object FROM 'fetched/stripe/customers.jsonl' WHERE id IS NOT NULL
),
coupons AS (
    SELECT
        id::VARCHAR AS id,
        (try_cast((object->>'$.percent_off') AS DECIMAL(9, 4)) * 10000)::HUGEINT AS millionths_off,
        try_cast((object->>'$.amount_off') AS HUGEINT) AS amount_off,
        upper((object->>'$.currency')) AS currency,
        (object->>'$.duration') AS duration,
        json_extract_string(object, '$.applies_to.products[*]') AS products
    FROM 'fetched/stripe/coupons.jsonl'
    WHERE id IS NOT NULL
),

-- What a price is made of, for each subscription as it stands.
states AS (
    SELECT
        id AS state,
        (object->>'$.customer') AS customer,
        NULL::BIGINT AS moment,
        upper((object->>'$.currency')) AS currency,
        json_extract(object, '$.items.data[*]') AS items,
        json_extract(object, '$.discounts[*]') AS discounts,
        -- The smallest unit of the currency (docs.stripe.com/currencies), in ten-thousandths of its main unit.
        CASE
            WHEN upper((object->>'$.currency')) IN (
                'BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'MGA', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF',
                'XPF'
            ) THEN 10000
            WHEN upper((object->>'$.currency')) IN ('BHD', 'JOD', 'KWD', 'OMR', 'TND') THEN 10
            ELSE 100
        END::HUGEINT AS ten_thousandths
    FROM subscriptions
),
known AS (SELECT NULL::VARCHAR AS discount, NULL::VARCHAR AS coupon WHERE false),    -- all discounts are told in full

-- From here to the line of equals signs: the same in subscriptions.sql and in subscription_changes.sql.
-- One row for each price of a state. `unit` is its price in millionths of a millionth of the currency's smallest unit,
-- a whole number: prices have up to twelve decimals. By usage, in tiers, or chosen by the customer: unknown, so empty.
prices AS (
    SELECT
        state,
        (item->>'$.id') AS item,
        coalesce(
            (item->>'$.price.nickname'), (item->>'$.price.id'), (item->>'$.plan.nickname'), (item->>'$.plan.id')
        ) AS plan,
        coalesce((item->>'$.price.product'), (item->>'$.plan.product')) AS product,
        try_cast((item->>'$.quantity') AS BIGINT) AS ordered,
        coalesce(
            (item->>'$.price.unit_amount_decimal'), (item->>'$.price.unit_amount'), (item->>'$.plan.amount_decimal'),
            (item->>'$.plan.amount')
        ) AS told,
        try_cast(concat(split_part(told, '.', 1), rpad(split_part(told, '.', 2), 12, '0')) AS HUGEINT) AS unit,
        coalesce((item->>'$.price.recurring.usage_type'), (item->>'$.plan.usage_type'), 'licensed') AS usage_type,
        coalesce((item->>'$.price.recurring.interval'), (item->>'$.plan.interval')) AS span,
        coalesce((item->>'$.price.recurring.interval_count'), (item->>'$.plan.interval_count'), '1')::HUGEINT AS every,
        -- So many times the price in so many months: exactly, a week is 12/52 of a month, a day 12/365.
        CASE span WHEN 'month' THEN 1 WHEN 'year' THEN 1 WHEN 'week' THEN 52 WHEN 'day' THEN 365 END AS times,
        CASE span WHEN 'month' THEN 1 WHEN 'year' THEN 12 WHEN 'week' THEN 12 WHEN 'day' THEN 12 END AS months,
        -- Sold in packs: a part of one is a whole one, or none.
        coalesce(
            (item->>'$.price.transform_quantity.divide_by'), (item->>'$.plan.transform_usage.divide_by'), '1'
        )::BIGINT AS pack,
        coalesce((item->>'$.price.transform_quantity.round'), (item->>'$.plan.transform_usage.round'), 'down') AS part,
        CASE part WHEN 'up' THEN (ordered + pack - 1) // pack ELSE ordered // pack END AS quantity,
        json_extract(item, '$.discounts[*]') AS discounts
    FROM (SELECT state, unnest(items) AS item FROM states)
),

-- What is taken off again and again, of a state as a whole, of one of its prices, or of its customer where the state
-- has nothing of its own. A coupon for one invoice takes nothing off what recurs.
given AS (
    SELECT state, '' AS item, unnest(discounts) AS discount FROM states
    UNION ALL
    SELECT state, item, unnest(discounts) FROM prices
    UNION ALL
    SELECT states.state, '', json_extract(customers.object, '$.discount')
    FROM states JOIN customers ON customers.id = states.customer
    WHERE len(states.discounts) = 0
        AND json_type(customers.object, '$.discount') = 'OBJECT'
        AND coalesce(try_cast((customers.object->>'$.discount.start') AS BIGINT) <= states.moment, true)
),
-- A coupon that was deleted, several discounts of one thing, and amounts off in another currency: unknown.
taken AS (
    SELECT
        given.state,
        given.item,
        count(*) > 1 OR bool_or(coupons.id IS NULL)
            OR bool_or(coupons.amount_off IS NOT NULL AND coupons.currency IS DISTINCT FROM states.currency) AS unknown,
        coalesce(max(coupons.millionths_off), 0)::HUGEINT AS millionths_off,
        coalesce(max(coupons.amount_off), 0)::HUGEINT AS amount_off,
        any_value(coupons.products) AS products
    FROM given
    JOIN states ON states.state = given.state
    LEFT JOIN known ON known.discount = coalesce((given.discount->>'$.id'), (given.discount->>'$'))
    LEFT JOIN coupons ON coupons.id
        = coalesce((given.discount->>'$.source.coupon'), (given.discount->>'$.coupon.id'), known.coupon)
    WHERE coalesce(coupons.duration, '') <> 'once'
    GROUP BY ALL
),

-- Each price per month, in ten-thousandths of the currency's main unit, rounded half up: (a + b / 2) // b in whole
-- numbers, no fraction in between. Beyond billions a period: refused, with words for a number.
monthly AS (
    SELECT
        prices.*,
        whole.amount_off AS whole_off,
        coalesce(own.unknown, false) OR coalesce(whole.unknown, false)
            OR coalesce(whole.amount_off > 0 AND len(whole.products) > 0, false) AS discount_unknown,
        unit::DOUBLE * quantity::DOUBLE > 2e23 AS too_large,
        CASE WHEN NOT too_large THEN greatest(
            unit * quantity * (1000000 - coalesce(own.millionths_off, 0))
            - coalesce(own.amount_off, 0) * 1000000000000000000, 0::HUGEINT
        ) * (1000000 - CASE
            WHEN coalesce(len(whole.products), 0) = 0 OR list_contains(whole.products, prices.product)
            THEN coalesce(whole.millionths_off, 0) ELSE 0
        END) END AS period,
        states.ten_thousandths,
        100000000000000000000::HUGEINT * 10000 // states.ten_thousandths AS parts,
        (period * times + parts * months * every // 2) // (parts * months * every) AS worth
    FROM prices
    JOIN states ON states.state = prices.state
    LEFT JOIN taken AS own ON own.state = prices.state AND own.item = prices.item
    LEFT JOIN taken AS whole ON whole.state = prices.state AND whole.item = ''
),
worths AS (
    SELECT
        state,
        string_agg(plan, ' + ' ORDER BY plan) AS plan,
        CASE WHEN count(*) = 1 THEN max(ordered) END AS seats,     -- of several prices: not told apart
        bool_or(too_large) AS too_large,
        -- Unknown where one of the prices is, or an amount is off prices of unlike periods.
        bool_or(usage_type = 'metered' OR unit IS NULL OR quantity IS NULL OR discount_unknown)
            OR (max(whole_off) > 0 AND count(DISTINCT (times, months, every)) > 1) AS unknown,
        bool_or(times IS NULL) AS no_interval,
        -- An amount off takes no more than there is.
        CASE WHEN NOT bool_or(times IS NULL) THEN greatest(
            sum(worth)::HUGEINT - coalesce(
                (max(whole_off) * max(ten_thousandths) * max(times) + max(months * every) // 2)
                // max(months * every),
                0
            ),
            0::HUGEINT
        ) END AS worth
    FROM monthly
    GROUP BY state
),
priced AS (
    SELECT
        state,
        plan,
        seats,
        CASE
            WHEN unknown THEN NULL
            WHEN too_large THEN 'a price of billions'
            WHEN no_interval THEN 'a price of an unknown interval'
            ELSE (worth::DECIMAL(34, 0) * 0.0001)::VARCHAR
        END AS mrr
    FROM worths
),
-- =================================================================================================================
periods AS (
    SELECT
        state,
        max(try_cast((item->>'$.current_period_start') AS BIGINT)) AS started,
        min(try_cast((item->>'$.current_period_end') AS BIGINT)) AS ends
    FROM (SELECT state, unnest(items) AS item FROM states)
    GROUP BY state
)

SELECT
    id AS subscription_id,
    (object->>'$.customer') AS customer_id,
    coalesce((object->>'$.start_date'), (object->>'$.created')) AS started_at,
    -- One entered later with an earlier start (taken over from another system) was known here from its entry on.
    (object->>'$.created') AS known_at,
    priced.plan,
    priced.mrr,
    priced.seats::VARCHAR AS seats,                                -- units of the plan; seats where you sell by seat
    -- A trial is a subscription that has begun and is not paid for until this moment: not one at a price of 0, which
    -- would be a free plan for good.
    (object->>'$.trial_end') AS trial_ends_at,
    coalesce(periods.started::VARCHAR, (object->>'$.current_period_start')) AS term_started_at,   -- counts from now on
    coalesce(periods.ends::VARCHAR, (object->>'$.current_period_end')) AS renews_at,              -- counts from now on
    CASE WHEN (object->>'$.cancel_at_period_end') = 'true' OR (object->>'$.cancel_at') IS NOT NULL THEN 'false'
        ELSE 'true' END AS auto_renew,                             -- counts from now on
    -- When notice was given, also where it is to end with the period. Not the customer's notice where Stripe ended it
    -- because no payment came or one was disputed.
    CASE WHEN coalesce((object->>'$.cancellation_details.reason'), '') NOT IN ('payment_failed', 'payment_disputed')
        THEN (object->>'$.canceled_at') END AS cancel_requested_at,
    -- Ended ones have a moment, or are refused: without it they would look as if they ran. past_due and unpaid run on:
    -- payments fail, and nobody has ended them. A status that is not known here is refused.
    CASE
        WHEN (object->>'$.status') = 'canceled' THEN coalesce((object->>'$.ended_at'), 'canceled without ended_at')
        WHEN (object->>'$.status') IN ('active', 'trialing', 'past_due', 'unpaid') THEN (object->>'$.ended_at')
        ELSE concat('status ', coalesce((object->>'$.status'), 'empty'))
    END AS ended_at,
    CASE WHEN (object->>'$.ended_at') IS NOT NULL THEN (object->>'$.cancellation_details.reason') END AS end_reason,
    upper((object->>'$.currency')) AS currency
FROM subscriptions
LEFT JOIN priced ON priced.state = subscriptions.id
LEFT JOIN periods ON periods.state = subscriptions.id
-- Left out, as nothing was ever paid for them and nothing runs: the first payment did not come (incomplete, and
-- incomplete_expired after a day), or the trial ended without a payment method (paused).
WHERE coalesce((object->>'$.status'), '') NOT IN ('incomplete', 'incomplete_expired', 'paused')
    -- AND upper((object->>'$.currency')) = 'EUR'    -- with several currencies: this line without its dashes
