-- Stripe's API, invoices. One row is one invoice as it stands now, with a moment for each thing that happened to it.
-- Credit notes are not fetched: what they took off is not known.
WITH invoices AS (
    SELECT id::VARCHAR AS id, object::JSON AS object FROM 'fetched/stripe/invoices.jsonl' WHERE id IS NOT NULL
),

-- Amounts are in the smallest unit of the currency (docs.stripe.com/currencies): in ten-thousandths of its main unit.
counted AS (
    SELECT
        *,
        CASE
            WHEN upper((object->>'$.currency')) IN (
                'BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'MGA', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF',
                'XPF'
            ) THEN 10000
            WHEN upper((object->>'$.currency')) IN ('BHD', 'JOD', 'KWD', 'OMR', 'TND') THEN 10
            ELSE 100
        END AS ten_thousandths
    FROM invoices
)

SELECT
    id AS invoice_id,
    (object->>'$.customer') AS customer_id,
    coalesce((object->>'$.parent.subscription_details.subscription'), (object->>'$.subscription')) AS subscription_id,
    (object->>'$.status_transitions.finalized_at') AS issued_at,      -- sent when it was made final
    -- What it asks for, tax included, after discounts; below zero where a change of plan gave money back.
    coalesce(
        ((try_cast((object->>'$.total') AS HUGEINT) * ten_thousandths)::DECIMAL(34, 0) * 0.0001)::VARCHAR,
        (object->>'$.total')
    ) AS amount,
    (object->>'$.due_date') AS due_at,                                -- empty: collected by card
    (object->>'$.status_transitions.paid_at') AS paid_at,
    (object->>'$.status_transitions.voided_at') AS voided_at,
    (object->>'$.status_transitions.marked_uncollectible_at') AS written_off_at,
    upper((object->>'$.currency')) AS currency
FROM counted
-- Left out: drafts, which nobody was sent.
WHERE NOT (
        (object->>'$.status_transitions.finalized_at') IS NULL
        AND coalesce((object->>'$.status'), '') IN ('draft', 'deleted')
    )
    -- AND upper((object->>'$.currency')) = 'EUR'    -- with several currencies: this line without its dashes
