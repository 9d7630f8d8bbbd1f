-- Stripe's API, the payment methods of each customer who ever subscribed, as they are stored now.
WITH methods AS (
    SELECT id::VARCHAR AS id, object::JSON AS object FROM 'fetched/stripe/payment_methods.jsonl' WHERE id IS NOT NULL
),
subscriptions AS (
    SELECT object::JSON AS object FROM 'fetched/stripe/subscriptions.jsonl' WHERE id IS NOT NULL
),
customers AS (
    SELECT id::VARCHAR AS id, object::JSON AS object FROM 'fetched/stripe/customers.jsonl' WHERE id IS NOT NULL
),

-- What pays: the method that a running subscription names, otherwise that of the customer.
named AS (
    SELECT (object->>'$.customer') AS customer, (object->>'$.default_payment_method') AS method
    FROM subscriptions
    WHERE (object->>'$.status') NOT IN ('canceled', 'incomplete', 'incomplete_expired')
    UNION
    SELECT id, coalesce((object->>'$.invoice_settings.default_payment_method'), (object->>'$.default_source'))
    FROM customers
),
paying AS (SELECT customer, list(method) AS methods FROM named WHERE method IS NOT NULL GROUP BY customer)

SELECT
    methods.id AS method_id,
    (methods.object->>'$.customer') AS customer_id,
    (methods.object->>'$.created') AS added_at,
    (methods.object->>'$.type') AS kind,
    -- A card is good until the end of its month.
    epoch(make_date(
        try_cast((methods.object->>'$.card.exp_year') AS INTEGER),
        try_cast((methods.object->>'$.card.exp_month') AS INTEGER),
        1
    ) + INTERVAL 1 MONTH)::BIGINT::VARCHAR AS expires_at,
    -- Where nothing is named as what pays, it is not known: empty.
    CASE WHEN paying.methods IS NOT NULL THEN list_contains(paying.methods, methods.id)::VARCHAR END AS is_default
FROM methods
LEFT JOIN paying ON paying.customer = (methods.object->>'$.customer')
