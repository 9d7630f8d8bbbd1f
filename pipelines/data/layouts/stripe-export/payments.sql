-- Stripe dashboard, Payments > All payments, Export, the default columns or more. One row is one payment, failed ones
-- included. Refunds are no part of the table: a refunded payment is one that came.
WITH export AS (FROM 'unified_payments.csv'),
subscriptions AS (FROM 'subscriptions.csv'),

-- Exports of several days may overlap ('unified_payments-*.csv'): of one payment the file whose name comes last holds.
newest AS (
    FROM export
    QUALIFY row_number() OVER (
        PARTITION BY coalesce("id", concat(source_file, source_row)) ORDER BY source_file DESC, source_row DESC
    ) = 1
),

-- The same customers as those of the subscriptions: the e-mail address there, or Stripe's own id.
people AS (
    SELECT "Customer ID" AS id, coalesce(arg_max(lower("Customer Email"), source_file), "Customer ID") AS customer
    FROM subscriptions
    GROUP BY "Customer ID"
)

SELECT
    newest."id" AS payment_id,
    -- Who has no subscription is known by the address of the payment. Neither address nor id: a guest, see `guests` in
    -- the settings.
    coalesce(people.customer, lower(newest."Customer Email"), newest."Customer ID") AS customer_id,
    newest."Invoice ID" AS invoice_id,
    newest."Card ID" AS method_id,
    -- With or without seconds, by the age of the export; UTC.
    regexp_replace(newest."Created date (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS attempted_at,
    newest."Amount" AS amount,                      -- in units of the currency, not in cents
    -- Paid, and paid back since: the money came. Any other word than those that are known is refused.
    CASE
        WHEN newest."Status" IN ('Paid', 'Refunded') THEN 'true'
        WHEN newest."Status" IN ('Failed', 'requires_payment_method') THEN 'false'
        ELSE concat('status ', coalesce(newest."Status", 'empty'))
    END AS succeeded,
    -- Why the bank said no, in Stripe's words; a payment that came has no reason.
    CASE WHEN newest."Status" IN ('Failed', 'requires_payment_method') THEN newest."Decline Reason" END AS failure_code,
    -- Trying the same card again is useless, or may work later. do_not_honor, generic_decline and others tell nothing:
    -- empty.
    CASE
        WHEN newest."Status" NOT IN ('Failed', 'requires_payment_method') THEN NULL
        WHEN newest."Decline Reason" IN (
            'expired_card', 'lost_card', 'stolen_card', 'pickup_card', 'restricted_card', 'invalid_account',
            'incorrect_number', 'invalid_number', 'card_not_supported', 'stop_payment_order',
            'revocation_of_authorization', 'revocation_of_all_authorizations', 'fraudulent'
        ) THEN 'hard'
        WHEN newest."Decline Reason" IN (
            'insufficient_funds', 'issuer_not_available', 'processing_error', 'reenter_transaction', 'try_again_later',
            'card_velocity_exceeded', 'withdrawal_count_limit_exceeded', 'approve_with_id', 'authentication_required'
        ) THEN 'soft'
    END AS failure_kind,
    newest."Currency" AS currency
FROM newest
LEFT JOIN people ON people.id = newest."Customer ID"
-- Left out, as they have no outcome yet or never had one: on their way (Pending, processing), not confirmed by the
-- customer, given up before a card was tried (canceled), or only reserved on the card (not captured).
-- requires_payment_method is a failed attempt only where a reason says so.
WHERE coalesce(newest."Status", '') NOT IN (
        'Pending', 'processing', 'canceled', 'requires_action', 'requires_confirmation', 'requires_capture'
    )
    AND NOT (coalesce(newest."Status", '') = 'requires_payment_method' AND newest."Decline Reason" IS NULL)
    AND NOT (coalesce(newest."Status", '') = 'Paid' AND coalesce(lower(newest."Captured"), '') = 'false')
    -- AND upper(newest."Currency") = 'EUR'    -- with several currencies: this line without its dashes
