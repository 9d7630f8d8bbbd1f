-- Stripe dashboard, Billing > Invoices, Export, all columns. One row is one invoice as it stands today, with a date for
-- each thing that happened to it. Credit notes are no part of this export: what they took off is not known.
WITH export AS (FROM 'invoices.csv'),
subscriptions AS (FROM 'subscriptions.csv'),

-- Exports of several days may overlap ('invoices-*.csv'): of one invoice the file whose name comes last holds.
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
    newest."id" AS invoice_id,                      -- and not Number: payments name the invoice by its id
    coalesce(people.customer, newest."Customer") AS customer_id,
    newest."Subscription" AS subscription_id,       -- empty: not for a subscription
    -- Sent when it was made final. With or without seconds, by the age of the export; UTC.
    regexp_replace(newest."Finalized At (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS issued_at,
    -- What it asks for, tax included, after discounts, in units of the currency and not in cents; before what is set
    -- off against the customer's balance. Below zero where a change of plan gave money back.
    newest."Total" AS amount,
    regexp_replace(newest."Due Date (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS due_at,    -- empty: collected by card
    regexp_replace(newest."Paid At (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS paid_at,
    regexp_replace(newest."Voided At (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS voided_at,
    regexp_replace(newest."Marked Uncollectible At (UTC)", '^(\S+ \d+:\d+)$', '\1:00') AS written_off_at,
    newest."Currency" AS currency
FROM newest
LEFT JOIN people ON people.id = newest."Customer"
-- Left out: drafts, which nobody was sent, and what was deleted as a draft.
WHERE NOT (newest."Finalized At (UTC)" IS NULL AND coalesce(newest."Status", '') IN ('draft', 'deleted'))
    -- AND upper(newest."Currency") = 'EUR'    -- with several currencies: this line without its dashes
