-- Satisfaction ratings as Zendesk's API gives them (GET /api/v2/satisfaction_ratings), one rating per line, and the
-- JSON export of tickets, which knows the e-mail address of who rated.
WITH ratings AS (FROM 'zendesk_ratings.json'),
tickets AS (FROM 'zendesk_tickets.json'),

-- Each as one JSON value: what an export does not have is empty instead of stopping the query.
people AS (
    SELECT to_json(tickets)->>'$.requester.id' AS id, max(lower(trim(to_json(tickets)->>'$.requester.email'))) AS email
    FROM tickets
    GROUP BY 1
),

read AS (
    SELECT
        to_json(ratings)->>'$.id' AS id,
        to_json(ratings)->>'$.requester_id' AS requester_id,
        to_json(ratings)->>'$.score' AS score,
        replace(to_json(ratings)->>'$.created_at', ' ', 'T') AS created,
        replace(to_json(ratings)->>'$.updated_at', ' ', 'T') AS updated
    FROM ratings
),

-- As in zendesk_tickets_json.sql: moments are UTC, and get an offset back where reading took it off.
moments AS (
    SELECT * REPLACE (
        regexp_replace(regexp_replace(created, '([+-]\d\d)$', '\1:00'), '^(\S{10}T[\d:.]+)$', '\1Z') AS created,
        regexp_replace(regexp_replace(updated, '([+-]\d\d)$', '\1:00'), '^(\S{10}T[\d:.]+)$', '\1Z') AS updated
    )
    FROM read
    -- Exports of several periods may overlap: of one rating what was last changed holds.
    QUALIFY id IS NULL OR row_number() OVER (PARTITION BY id ORDER BY updated DESC NULLS LAST) = 1
)

SELECT
    moments.id AS survey_id,
    people.email AS customer_id,                    -- of no exported ticket: nobody known
    'csat' AS kind,
    created AS asked_at,
    -- Zendesk has two answers, good and bad: the ends of the scale of 1 to 5. A word that is not known is refused.
    CASE WHEN score NOT IN ('offered', 'unoffered') THEN updated END AS answered_at,
    CASE
        WHEN score IN ('good', 'good_with_comment', 'good_without_comment') THEN '5'
        WHEN score IN ('bad', 'bad_with_comment', 'bad_without_comment') THEN '1'
        WHEN score <> 'offered' THEN score
    END AS score
FROM moments
LEFT JOIN people ON people.id = moments.requester_id
WHERE coalesce(score, '') <> 'unoffered'            -- nobody was asked
