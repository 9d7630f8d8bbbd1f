-- Zendesk Admin Center, Account > Reports > Export, CSV export: one row per ticket as it stands today. The export of a
-- view works, too, where the view has these columns: ID, Requester email, Created at, Updated at, Solved at, Status,
-- Priority, Via, First reply time in minutes.
WITH export AS (FROM 'zendesk_tickets.csv'),

-- A dash stands for nothing. Dates are written with or without seconds: all get seconds; anything else stays as it is
-- and is refused when it is read.
read AS (
    SELECT
        "Id" AS id,
        lower(nullif("Requester email", '-')) AS email,
        lower(nullif("Status", '-')) AS status,
        nullif("Via", '-') AS channel,
        lower(nullif("Priority", '-')) AS priority,
        nullif("First reply time in minutes", '-') AS minutes,
        regexp_replace(nullif("Created at", '-'), '^(\S+ \d+:\d+)$', '\1:00') AS created,
        regexp_replace(nullif("Updated at", '-'), '^(\S+ \d+:\d+)$', '\1:00') AS updated,
        regexp_replace(nullif("Solved at", '-'), '^(\S+ \d+:\d+)$', '\1:00') AS solved
    FROM export
    -- Exports of several periods may overlap: of one ticket what was last changed holds.
    QUALIFY "Id" IS NULL OR row_number() OVER (PARTITION BY "Id" ORDER BY "Updated at" DESC NULLS LAST) = 1
)

SELECT
    id AS contact_id,
    -- As in zendesk_tickets_json.sql; the column "Requester external id" is there for other ids.
    email AS customer_id,
    created AS opened_at,
    channel,
    CASE priority WHEN 'low' THEN '1' WHEN 'normal' THEN '2' WHEN 'high' THEN '3' WHEN 'urgent' THEN '4'
        ELSE priority END AS severity,
    -- By the clock of the account's time zone: an hour off where the clocks changed in between.
    coalesce(
        strftime(try_cast(created AS TIMESTAMP) + to_minutes(try_cast(minutes AS BIGINT)), '%Y-%m-%d %H:%M:%S'), minutes
    ) AS first_response_at,
    -- When it was last solved; open again: open. Solved without a moment: by the last change.
    CASE WHEN status IN ('solved', 'closed') THEN coalesce(solved, updated) END AS resolved_at
    -- The column "Satisfaction Score" has no day: left out. "Reopens" is a number without days: left out.
FROM read
WHERE coalesce(status, '') <> 'deleted'
