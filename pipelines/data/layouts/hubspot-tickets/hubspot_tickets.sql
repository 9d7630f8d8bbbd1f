-- HubSpot, Service > Tickets, Export: all properties and associated records, language English. One row is one ticket as
-- it stands today. Contacts, Export, says whose it is.
WITH export AS (FROM 'hubspot-tickets.csv'),
contacts AS (FROM 'hubspot-contacts.csv'),

-- Columns that an export may lack: empty then. Every other column must be there, or the query stops and names it.
filled AS (
    FROM export
    UNION ALL BY NAME
    SELECT
        NULL::VARCHAR AS "Source",
        NULL::VARCHAR AS "Category",
        NULL::VARCHAR AS "Priority",
        NULL::VARCHAR AS "First agent email response date"
    WHERE false
),

people AS (SELECT "Record ID" AS id, max(lower("Email")) AS email FROM contacts GROUP BY "Record ID")

SELECT
    filled."Ticket ID" AS contact_id,
    -- The customer is the e-mail address of the ticket's contact in small letters, as in the layouts of shops. A ticket
    -- of several contacts is the first one's: one ticket is one contact with customer service.
    people.email AS customer_id,
    -- Dates are written with or without seconds: all get seconds; anything else is refused when it is read.
    regexp_replace(filled."Create date", '^(\S+ \d+:\d+)$', '\1:00') AS opened_at,
    filled."Source" AS channel,
    filled."Category" AS topic,
    -- Low to urgent as 1 to 4; without a priority: not known. As of the export: it may have been raised since.
    CASE lower(filled."Priority") WHEN 'low' THEN '1' WHEN 'medium' THEN '2' WHEN 'high' THEN '3' WHEN 'urgent' THEN '4'
        ELSE filled."Priority" END AS severity,
    -- The first answer by e-mail; answers on other ways have no date in the export.
    regexp_replace(filled."First agent email response date", '^(\S+ \d+:\d+)$', '\1:00') AS first_response_at,
    -- When it was closed. That it had been closed and came back before is not in the export. Names of statuses are each
    -- company's own, so none of them is read.
    regexp_replace(filled."Close date", '^(\S+ \d+:\d+)$', '\1:00') AS resolved_at
    -- Marks of customers (HubSpot's surveys) are another export, of which no headings are documented: left out.
FROM filled
LEFT JOIN people ON people.id = trim(split_part(filled."Associated Contact IDs", ';', 1))
-- Exports of several days may overlap ('hubspot-tickets-*.csv'): of one ticket the file whose name comes last holds.
QUALIFY row_number() OVER (
    PARTITION BY coalesce(filled."Ticket ID", concat(filled.source_file, filled.source_row))
    ORDER BY filled.source_file DESC, filled.source_row DESC
) = 1
