-- Stripe dashboard, Payments > All payments, Export, the default columns or more. One row is one payment, failed ones
-- included. Refunds are no part of the table: a refunded payment is one that came.
WITH export AS (FROM 'unified_payments.csv'),
subscriptions AS (FROM 'subscriptions.csv'),

-- The same customers as those of the subscriptions: the e-mail address there, or Stripe's own id.
people AS (
    SELECT "Customer ID" AS id, coalesce(max(lower("Customer Email")), "Customer ID") AS customer
    FROM subscriptions
    GROUP BY "Customer ID"
)

SELECT
    export."id" AS payment_id,
    -- Who has no subscription is known by the address of the payment. Neither address nor id: a guest, see `guests` in
    -- the settings.
    coalesce(people.customer, lower(export."Customer Email"), export."Customer ID") AS customer_id,
    export."Invoice ID" AS invoice_id,
    export."Card ID" AS method_id,
    -- With or without seconds, by the age of the export; UTC.
    regexp_replace(export."Created date (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS attempted_at,
    export."Amount" AS amount,                      -- in units of the currency, not in cents
    -- Paid, and paid back since: the money came. Any other word than those that are known is refused.
    CASE
        WHEN export."Status" IN ('Paid', 'Refunded') THEN 'true'
        WHEN export."Status" IN ('Failed', 'requires_payment_method') THEN 'false'
        ELSE concat('status ', coalesce(export."Status", 'empty'))
    END AS succeeded,
    -- Why the bank said no, in Stripe's words; a payment that came has no reason.
    CASE WHEN export."Status" IN ('Failed', 'requires_payment_method') THEN export."Decline Reason" END AS failure_code,
    -- Trying the same card again is useless, or may work later. do_not_honor, generic_decline and others tell nothing:
    -- empty.
    CASE
        WHEN export."Status" NOT IN ('Failed', 'requires_payment_method') THEN NULL
        WHEN export."Decline Reason" IN (
            'expired_card', 'lost_card', 'stolen_card', 'pickup_card', 'restricted_card', 'invalid_account',
            'incorrect_number', 'invalid_number', 'card_not_supported', 'stop_payment_order',
            'revocation_of_authorization', 'revocation_of_all_authorizations', 'fraudulent'
        ) THEN 'hard'
        WHEN export."Decline Reason" IN (
            'insufficient_funds', 'issuer_not_available', 'processing_error', 'reenter_transaction', 'try_again_later',
            'card_velocity_exceeded', 'withdrawal_count_limit_exceeded', 'approve_with_id', 'authentication_required'
        ) THEN 'soft'
    END AS failure_kind,
    export."Currency" AS currency
FROM export
LEFT JOIN people ON people.id = export."Customer ID"
-- Left out, as they have no outcome yet or never had one: on their way (Pending, processing), not confirmed by the
-- customer, given up before a card was tried (canceled), or only reserved on the card (not captured).
-- requires_payment_method is a failed attempt only where a reason says so.
WHERE coalesce(export."Status", '') NOT IN (
        'Pending', 'processing', 'canceled', 'requires_action', 'requires_confirmation', 'requires_capture'
    )
    AND NOT (coalesce(export."Status", '') = 'requires_payment_method' AND export."Decline Reason" IS NULL)
    AND NOT (coalesce(export."Status", '') = 'Paid' AND coalesce(lower(export."Captured"), '') = 'false')
    -- AND upper(export."Currency") = 'EUR'    -- with several currencies: this line without its dashes
