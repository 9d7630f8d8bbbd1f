-- Stripe's API, events of the last 30 days: each change of a subscription with the moment at which it was made. An
-- event tells the subscription behind the change, and what differed before it.
WITH events AS (
    SELECT id::VARCHAR AS id, object::JSON AS object FROM 'fetched/stripe/events.jsonl' WHERE id IS NOT NULL
),
subscriptions AS (
    SELECT object::JSON AS object FROM 'fetched/stripe/subscriptions.jsonl' WHERE id IS NOT NULL
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

updates AS (
    SELECT
        id,
        try_cast((object->>'$.created') AS BIGINT) AS moment,
        json_extract(object, '$.data.object') AS became,
        json_extract(object, '$.data.previous_attributes') AS differed
    FROM events
    WHERE (object->>'$.type') = 'customer.subscription.updated'
),

-- The discounts of a subscription in an event: ids of them, in older versions of the API one in full.
both_lists AS (
    SELECT
        *,
        CASE
            WHEN json_type(became, '$.discounts') = 'ARRAY' THEN json_extract(became, '$.discounts[*]')
            WHEN json_type(became, '$.discount') = 'OBJECT' THEN [json_extract(became, '$.discount')]
            ELSE []::JSON[]
        END AS discounts_after,
        CASE
            WHEN json_type(differed, '$.discounts') = 'ARRAY' THEN json_extract(differed, '$.discounts[*]')
            WHEN json_type(became, '$.discounts') = 'ARRAY' THEN json_extract(became, '$.discounts[*]')
            WHEN json_type(differed, '$.discount') = 'OBJECT' THEN [json_extract(differed, '$.discount')]
            WHEN json_type(differed, '$.discount') = 'NULL' THEN []::JSON[]
            WHEN json_type(became, '$.discount') = 'OBJECT' THEN [json_extract(became, '$.discount')]
            ELSE []::JSON[]
        END AS discounts_before
    FROM updates
),

-- What a price is made of, before and after each event.
sides AS (
    SELECT
        concat(id, ' after') AS state, became, moment, json_extract(became, '$.items.data[*]') AS items,
        discounts_after AS discounts
    FROM both_lists
    UNION ALL
    SELECT
        concat(id, ' before'), became, moment,
        CASE WHEN json_type(differed, '$.items.data') = 'ARRAY' THEN json_extract(differed, '$.items.data[*]')
            ELSE json_extract(became, '$.items.data[*]') END,
        discounts_before
    FROM both_lists
),
states AS (
    SELECT
        state,
        (became->>'$.customer') AS customer,
        moment,
        upper((became->>'$.currency')) AS currency,
        items,
        discounts,
        -- The smallest unit of the currency (docs.stripe.com/currencies), in ten-thousandths of its main unit.
        CASE
            WHEN upper((became->>'$.currency')) IN (
                'BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'MGA', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF',
                'XPF'
            ) THEN 10000
            WHEN upper((became->>'$.currency')) IN ('BHD', 'JOD', 'KWD', 'OMR', 'TND') THEN 10
            ELSE 100
        END::HUGEINT AS ten_thousandths
    FROM sides
),

-- Which coupon a discount is of, where an event has its id alone: told by the subscriptions of now, and by the events
-- of discounts that came and went.
told AS (
    SELECT unnest(json_extract(object, '$.discounts[*]')) AS discount FROM subscriptions
    UNION ALL
    SELECT unnest(json_extract(object, '$.items.data[*].discounts[*]')) FROM subscriptions
    UNION ALL
    SELECT json_extract(object, '$.data.object') FROM events WHERE (object->>'$.type') LIKE 'customer.discount.%'
    UNION ALL
    SELECT json_extract(became, '$.discount') FROM updates
    UNION ALL
    SELECT json_extract(differed, '$.discount') FROM updates
),
known AS (
    SELECT
        (discount->>'$.id') AS discount,
        max(coalesce((discount->>'$.source.coupon'), (discount->>'$.coupon.id'))) AS coupon
    FROM told
    WHERE (discount->>'$.id') IS NOT NULL
    GROUP BY ALL
),

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
compared AS (
    SELECT
        both_lists.*,
        before_it.plan AS plan_before, behind_it.plan AS plan_after,
        before_it.seats AS seats_before, behind_it.seats AS seats_after,
        before_it.mrr AS mrr_before, behind_it.mrr AS mrr_after,
        (before_it.plan, before_it.seats, before_it.mrr)
            IS DISTINCT FROM (behind_it.plan, behind_it.seats, behind_it.mrr) AS changed
    FROM both_lists
    LEFT JOIN priced AS before_it ON before_it.state = concat(both_lists.id, ' before')
    LEFT JOIN priced AS behind_it ON behind_it.state = concat(both_lists.id, ' after')
),
rows_of AS (
    SELECT
        *,
        CASE
            WHEN plan_before IS DISTINCT FROM plan_after THEN 'plan'
            WHEN seats_before IS DISTINCT FROM seats_after THEN 'seats'
            WHEN len(discounts_after) > len(discounts_before) THEN 'discount_start'
            WHEN len(discounts_after) < len(discounts_before) THEN 'discount_end'
            ELSE 'price'
        END AS kind
    FROM compared
    -- A price that became known, or unknown, cannot be told here: the subscription as it stands tells it.
    WHERE changed AND (mrr_before IS NULL) = (mrr_after IS NULL)
    UNION ALL
    SELECT *, CASE json_type(became, '$.pause_collection') WHEN 'OBJECT' THEN 'pause' ELSE 'resume' END
    FROM compared
    -- Collecting payments was stopped, or taken up again: not where only how it is stopped was changed.
    WHERE json_type(differed, '$.pause_collection') IS NOT NULL
        AND (json_type(differed, '$.pause_collection') = 'OBJECT')
            <> coalesce(json_type(became, '$.pause_collection') = 'OBJECT', false)
)

SELECT
    (became->>'$.id') AS subscription_id,
    (became->>'$.customer') AS customer_id,
    moment::VARCHAR AS changed_at,
    kind,
    CASE WHEN kind NOT IN ('pause', 'resume') AND plan_before IS DISTINCT FROM plan_after THEN plan_after END AS plan,
    CASE WHEN kind NOT IN ('pause', 'resume') AND seats_before IS DISTINCT FROM seats_after
        THEN seats_after END::VARCHAR AS seats,
    CASE WHEN kind <> 'resume' THEN mrr_before END AS mrr_before,
    CASE WHEN kind <> 'pause' THEN mrr_after END AS mrr_after,      -- of a pause: nothing until it is taken up again
    upper((became->>'$.currency')) AS currency
FROM rows_of
WHERE coalesce((became->>'$.status'), '') NOT IN ('incomplete', 'incomplete_expired', 'paused')
    -- AND upper((became->>'$.currency')) = 'EUR'    -- with several currencies: this line without its dashes
