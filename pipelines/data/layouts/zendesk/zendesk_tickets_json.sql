-- Zendesk Admin Center, Account > Reports > Export, JSON export of tickets: one ticket per line, as it stands today,
-- with the person who asked (requester) and the times of the ticket (metric_set) inside it.
WITH export AS (FROM 'zendesk_tickets.json'),

-- A ticket as one JSON value: what an export does not have is empty instead of stopping the query.
tickets AS (SELECT to_json(export) AS ticket FROM export),

read AS (
    SELECT
        ticket->>'$.id' AS id,
        ticket->>'$.status' AS status,
        ticket->>'$.via.channel' AS channel,
        ticket->>'$.priority' AS priority,
        ticket->>'$.metric_set.reply_time_in_minutes.calendar' AS minutes,
        lower(trim(ticket->>'$.requester.email')) AS email,
        coalesce(json_type(ticket, '$.requester') <> 'NULL', false) AS with_requester,
        replace(ticket->>'$.created_at', ' ', 'T') AS created,
        replace(ticket->>'$.updated_at', ' ', 'T') AS updated,
        replace(ticket->>'$.metric_set.solved_at', ' ', 'T') AS solved
    FROM tickets
),

-- Moments are UTC in the export ("2025-01-31T12:00:00Z"); what reads the JSON may have taken them for moments already
-- and lost the Z, or shortened it to +00. All get an offset back; anything else stays as it is and is refused.
moments AS (
    SELECT * REPLACE (
        regexp_replace(regexp_replace(created, '([+-]\d\d)$', '\1:00'), '^(\S{10}T[\d:.]+)$', '\1Z') AS created,
        regexp_replace(regexp_replace(updated, '([+-]\d\d)$', '\1:00'), '^(\S{10}T[\d:.]+)$', '\1Z') AS updated,
        regexp_replace(regexp_replace(solved, '([+-]\d\d)$', '\1:00'), '^(\S{10}T[\d:.]+)$', '\1Z') AS solved
    )
    FROM read
    -- Exports of several periods may overlap: of one ticket what was last changed holds.
    QUALIFY id IS NULL OR row_number() OVER (PARTITION BY id ORDER BY updated DESC NULLS LAST) = 1
)

SELECT
    id AS contact_id,
    -- The customer is the e-mail address in small letters, as in the layouts of shops. Where these know customers by
    -- another id that Zendesk has as external id, take lower(ticket->>'$.requester.external_id') for email above.
    -- Without requesters the export is not the one meant here: every row is refused, rather than set aside as nobody's.
    CASE WHEN with_requester THEN nullif(email, '') ELSE 'no requester in this export' END AS customer_id,
    CASE WHEN with_requester THEN created ELSE 'no requester in this export' END AS opened_at,
    channel,
    -- Low to urgent as 1 to 4; without a priority: not known. As of the export: it may have been raised since.
    CASE priority WHEN 'low' THEN '1' WHEN 'normal' THEN '2' WHEN 'high' THEN '3' WHEN 'urgent' THEN '4'
        ELSE priority END AS severity,
    -- The export has the minutes until the first answer by the clock, and not the moment.
    coalesce(
        strftime(
            make_timestamp(epoch_us(try_cast(created AS TIMESTAMPTZ)) + try_cast(minutes AS BIGINT) * 60000000),
            '%Y-%m-%dT%H:%M:%SZ'
        ),
        minutes
    ) AS first_response_at,
    -- When it was last solved. A ticket that is open again counts as open; when it came back is not in the export, nor
    -- that it was solved before. Solved ones without a moment (taken over from elsewhere) were by their last change.
    CASE WHEN status IN ('solved', 'closed') THEN coalesce(solved, updated) END AS resolved_at
    -- Topic: subjects are free text, and custom fields are your own: add one to the part `read`, for example
    -- ticket->>'$.custom_fields[0].value' AS topic, and topic here.
    -- Marks: a ticket has the mark but not its day, see zendesk_ratings.sql.
FROM moments
WHERE coalesce(status, '') <> 'deleted'
