-- Stripe dashboard, Billing > Invoices, Export, all columns. One row is one invoice as it stands today, with a date for
-- each thing that happened to it. Credit notes are no part of this export: what they took off is not known.
WITH export AS (FROM 'invoices.csv'),
subscriptions AS (FROM 'subscriptions.csv'),

-- The same customers as those of the subscriptions: the e-mail address there, or Stripe's own id.
people AS (
    SELECT "Customer ID" AS id, coalesce(max(lower("Customer Email")), "Customer ID") AS customer
    FROM subscriptions
    GROUP BY "Customer ID"
)

SELECT
    export."id" AS invoice_id,                      -- and not Number: payments name the invoice by its id
    coalesce(people.customer, export."Customer") AS customer_id,
    export."Subscription" AS subscription_id,       -- empty: not for a subscription
    -- Sent when it was made final. With or without seconds, by the age of the export; UTC.
    regexp_replace(export."Finalized At (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS issued_at,
    -- What it asks for, tax included, after discounts, in units of the currency and not in cents; before what is set
    -- off against the customer's balance. Below zero where a change of plan gave money back.
    export."Total" AS amount,
    regexp_replace(export."Due Date (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS due_at,    -- empty: collected by card
    regexp_replace(export."Paid At (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS paid_at,
    regexp_replace(export."Voided At (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS voided_at,
    regexp_replace(export."Marked Uncollectible At (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS written_off_at,
    export."Currency" AS currency
FROM export
LEFT JOIN people ON people.id = export."Customer"
-- Left out: drafts, which nobody was sent, and what was deleted as a draft.
WHERE NOT (export."Finalized At (UTC)" IS NULL AND coalesce(export."Status", '') IN ('draft', 'deleted'))
    -- AND upper(export."Currency") = 'EUR'    -- with several currencies: this line without its dashes
