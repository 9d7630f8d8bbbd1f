-- Stripe's API, customers. Each line of a file is one object: its id, and the object as JSON; the first is empty.
WITH customers AS (
    SELECT id::VARCHAR AS id, object::JSON AS object FROM 'fetched/stripe/customers.jsonl' WHERE id IS NOT NULL
)

SELECT
    -- Stripe's id, as in all queries here: it stays when an address changes. See README about tickets beside it.
    id AS customer_id,
    (object->>'$.created') AS signed_up_at,
    (object->>'$.address.country') AS country
FROM customers
