-- Stripe's API, charges. One row is one attempt to take a payment, failed ones included. A payment that was paid back is
-- one that came: refunds stand in invoices.sql.
WITH charges AS (
    SELECT id::VARCHAR AS id, object::JSON AS object FROM 'fetched/stripe/charges.jsonl' WHERE id IS NOT NULL
),
invoices AS (
    SELECT id::VARCHAR AS id, object::JSON AS object FROM 'fetched/stripe/invoices.jsonl' WHERE id IS NOT NULL
),

-- Which invoice an attempt was to pay is told by the invoice.
paid_by AS (
    SELECT
        coalesce((payment->>'$.payment.payment_intent'), (payment->>'$.payment.charge')) AS payment,
        min(invoice) AS invoice
    FROM (SELECT id AS invoice, unnest(json_extract(object, '$.payments.data[*]')) AS payment FROM invoices)
    GROUP BY ALL
),

-- Amounts are in the smallest unit of the currency (docs.stripe.com/currencies): in ten-thousandths of its main unit.
counted AS (
    SELECT
        *,
        coalesce((object->>'$.outcome.reason'), (object->>'$.failure_code')) AS reason,
        CASE
            WHEN upper((object->>'$.currency')) IN (
                'BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'MGA', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF',
                'XPF'
            ) THEN 10000
            WHEN upper((object->>'$.currency')) IN ('BHD', 'JOD', 'KWD', 'OMR', 'TND') THEN 10
            ELSE 100
        END AS ten_thousandths
    FROM charges
)

SELECT
    counted.id AS payment_id,
    (counted.object->>'$.customer') AS customer_id,                   -- empty: a guest
    coalesce(of_intent.invoice, of_charge.invoice, (counted.object->>'$.invoice')) AS invoice_id,
    (counted.object->>'$.payment_method') AS method_id,
    (counted.object->>'$.created') AS attempted_at,
    coalesce(
        ((try_cast((counted.object->>'$.amount') AS HUGEINT) * ten_thousandths)::DECIMAL(34, 0) * 0.0001)::VARCHAR,
        (counted.object->>'$.amount')
    ) AS amount,
    -- A status that is not known here is refused.
    CASE (counted.object->>'$.status') WHEN 'succeeded' THEN 'true' WHEN 'failed' THEN 'false'
        ELSE concat('status ', coalesce((counted.object->>'$.status'), 'empty')) END AS succeeded,
    -- Why the bank said no, in Stripe's words; a payment that came has no reason.
    CASE WHEN (counted.object->>'$.status') = 'failed' THEN reason END AS failure_code,
    -- Trying the same card again is useless, or may work later. do_not_honor, generic_decline and others tell nothing:
    -- empty, unless the bank's advice does.
    CASE
        WHEN (counted.object->>'$.status') <> 'failed' THEN NULL
        WHEN (counted.object->>'$.outcome.advice_code') = 'do_not_try_again' THEN 'hard'
        WHEN reason IN (
            'expired_card', 'lost_card', 'stolen_card', 'pickup_card', 'restricted_card', 'invalid_account',
            'incorrect_number', 'invalid_number', 'card_not_supported', 'stop_payment_order',
            'revocation_of_authorization', 'revocation_of_all_authorizations', 'fraudulent'
        ) THEN 'hard'
        WHEN (counted.object->>'$.outcome.advice_code') = 'try_again_later' THEN 'soft'
        WHEN reason IN (
            'insufficient_funds', 'issuer_not_available', 'processing_error', 'reenter_transaction', 'try_again_later',
            'card_velocity_exceeded', 'withdrawal_count_limit_exceeded', 'approve_with_id', 'authentication_required'
        ) THEN 'soft'
    END AS failure_kind,
    upper((counted.object->>'$.currency')) AS currency
FROM counted
LEFT JOIN paid_by AS of_intent ON of_intent.payment = (counted.object->>'$.payment_intent')
LEFT JOIN paid_by AS of_charge ON of_charge.payment = counted.id
-- Left out, as they have no outcome yet: on their way (a bank debit takes days), or only reserved on the card.
WHERE coalesce((counted.object->>'$.status'), '') <> 'pending'
    AND NOT ((counted.object->>'$.status') = 'succeeded' AND coalesce((counted.object->>'$.captured'), '') = 'false')
    -- AND upper((counted.object->>'$.currency')) = 'EUR'    -- with several currencies: this line without its dashes
