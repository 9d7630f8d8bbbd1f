-- Stripe's API, invoices, credit notes and refunds. One row is one of them as it stands now, with a moment for each thing
-- that happened to it. What gives money back is below zero: a refund, and of a credit note what its refunds do not give.
WITH invoices AS (
    SELECT id::VARCHAR AS id, object::JSON AS object FROM 'fetched/stripe/invoices.jsonl' WHERE id IS NOT NULL
),
credit_notes AS (
    SELECT id::VARCHAR AS id, object::JSON AS object FROM 'fetched/stripe/credit_notes.jsonl' WHERE id IS NOT NULL
),
refunds AS (
    SELECT id::VARCHAR AS id, object::JSON AS object FROM 'fetched/stripe/refunds.jsonl' WHERE id IS NOT NULL
),
charges AS (
    SELECT id::VARCHAR AS id, object::JSON AS object FROM 'fetched/stripe/charges.jsonl' WHERE id IS NOT NULL
),

-- Which subscription an invoice is for, and which invoice a payment was to pay, is told by the invoice.
subscribed AS (
    SELECT
        id,
        coalesce((object->>'$.parent.subscription_details.subscription'), (object->>'$.subscription')) AS subscription
    FROM invoices
),
paid_by AS (
    SELECT
        coalesce((payment->>'$.payment.payment_intent'), (payment->>'$.payment.charge')) AS payment,
        min(invoice) AS invoice
    FROM (SELECT id AS invoice, unnest(json_extract(object, '$.payments.data[*]')) AS payment FROM invoices)
    GROUP BY ALL
),
-- Whose money a refund gives back is told by the charge, or by what came of its payment.
charged AS (
    SELECT
        charges.id,
        (object->>'$.payment_intent') AS intent,
        (object->>'$.customer') AS customer,
        coalesce(of_intent.invoice, of_charge.invoice, (object->>'$.invoice')) AS invoice
    FROM charges
    LEFT JOIN paid_by AS of_intent ON of_intent.payment = (object->>'$.payment_intent')
    LEFT JOIN paid_by AS of_charge ON of_charge.payment = charges.id
    WHERE (object->>'$.status') = 'succeeded'
),
came AS (
    SELECT intent, min(customer) AS customer, min(invoice) AS invoice FROM charged WHERE intent IS NOT NULL GROUP BY intent
),
-- What went back for a credit note; not what was given back outside Stripe, which is no refund here.
given_back AS (
    SELECT id, sum(try_cast((refund->>'$.amount_refunded') AS HUGEINT)) AS amount
    FROM (SELECT id, unnest(json_extract(object, '$.refunds[*]')) AS refund FROM credit_notes)
    WHERE (refund->>'$.refund') IS NOT NULL
    GROUP BY id
),

told AS (
    SELECT
        invoices.id,
        (object->>'$.customer') AS customer,
        subscribed.subscription,
        (object->>'$.status_transitions.finalized_at') AS issued_at,   -- sent when it was made final
        -- What it asks for, tax included, after discounts; below zero where a change of plan gave money back.
        (object->>'$.total') AS amount,
        (object->>'$.due_date') AS due_at,                             -- empty: collected by card
        (object->>'$.status_transitions.paid_at') AS paid_at,
        (object->>'$.status_transitions.voided_at') AS voided_at,
        (object->>'$.status_transitions.marked_uncollectible_at') AS written_off_at,
        upper((object->>'$.currency')) AS currency
    FROM invoices
    JOIN subscribed ON subscribed.id = invoices.id
    -- Left out: drafts, which nobody was sent.
    WHERE NOT (
            (object->>'$.status_transitions.finalized_at') IS NULL
            AND coalesce((object->>'$.status'), '') IN ('draft', 'deleted')
        )
    UNION ALL
    SELECT
        credit_notes.id,
        (object->>'$.customer'),
        subscribed.subscription,
        (object->>'$.created'),
        coalesce(
            (coalesce(given_back.amount, 0) - try_cast((object->>'$.total') AS HUGEINT))::VARCHAR, (object->>'$.total')
        ),
        NULL, NULL,
        (object->>'$.voided_at'),
        NULL,
        upper((object->>'$.currency'))
    FROM credit_notes
    LEFT JOIN given_back ON given_back.id = credit_notes.id
    LEFT JOIN subscribed ON subscribed.id = (object->>'$.invoice')
    -- Left out: one that refunds give back in full; they are rows themselves.
    WHERE coalesce(try_cast((object->>'$.total') AS HUGEINT) > coalesce(given_back.amount, 0), true)
    UNION ALL
    SELECT
        refunds.id,
        coalesce(charged.customer, came.customer),                     -- empty: of a guest
        subscribed.subscription,
        -- A status that is not known here is refused.
        CASE WHEN coalesce((object->>'$.status'), 'succeeded') = 'succeeded' THEN (object->>'$.created')
            ELSE concat('status ', (object->>'$.status')) END,
        coalesce((-try_cast((object->>'$.amount') AS HUGEINT))::VARCHAR, (object->>'$.amount')),
        NULL, NULL, NULL, NULL,
        upper((object->>'$.currency'))
    FROM refunds
    LEFT JOIN charged ON charged.id = (object->>'$.charge')
    LEFT JOIN came ON came.intent = (object->>'$.payment_intent')
    LEFT JOIN subscribed ON subscribed.id = coalesce(charged.invoice, came.invoice)
    -- Left out: what did not go back, or has not yet.
    WHERE coalesce((object->>'$.status'), '') NOT IN ('pending', 'requires_action', 'failed', 'canceled')
),

-- Amounts are in the smallest unit of the currency (docs.stripe.com/currencies): in ten-thousandths of its main unit.
counted AS (
    SELECT
        *,
        CASE
            WHEN currency IN (
                'BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'MGA', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF',
                'XPF'
            ) THEN 10000
            WHEN currency IN ('BHD', 'JOD', 'KWD', 'OMR', 'TND') THEN 10
            ELSE 100
        END AS ten_thousandths
    FROM told
)

SELECT
    id AS invoice_id,
    customer AS customer_id,
    subscription AS subscription_id,
    issued_at,
    coalesce(
        ((try_cast(amount AS HUGEINT) * ten_thousandths)::DECIMAL(34, 0) * 0.0001)::VARCHAR, amount
    ) AS amount,
    due_at,
    paid_at,
    voided_at,
    written_off_at,
    currency
FROM counted
-- WHERE currency = 'EUR'    -- with several currencies: this line without its dashes
