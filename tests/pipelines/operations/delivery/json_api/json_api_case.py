"""Settings of a destination of kind "rest" as people write them, for the three shapes of API of the fake."""

from __future__ import annotations

import tomllib
from typing import Any

from pipelines.foundation.settings.destinations import Rest

# A job, whose errors are asked for at its end.
JOBS = """
headers = { Authorization = "Klaviyo-API-Key {token}", revision = "2025-01-15" }
id_at = "attributes.external_id"
fields_at = "attributes.properties"
record = { type = "profile" }
fields = "given"

[write]
path = "/api/profile-bulk-import-jobs"
envelope = { data = { type = "profile-bulk-import-job" } }
list_at = "data.attributes.profiles.data"

[job]
id_at = "data.id"
path = "/api/profile-bulk-import-jobs/{job}"
state_at = "data.attributes.status"
done = ["complete"]
failed = ["cancelled"]
failed_at = "data.attributes.failed_count"
errors_path = "/api/profile-bulk-import-jobs/{job}/import-errors?page[size]=100"
errors = { at = "data", id_at = "attributes.original_payload.external_id", why_at = "attributes.detail" }
poll_seconds = 0.001

[read]
path = "/api/profiles?filter=any(external_id,[{ids}])&page[size]=100"
at = "data"
"""

# One customer a call, whom the call does not create.
CONTACTS = """
headers = { api-key = "{token}" }
wait_header = "x-sib-ratelimit-reset"
id_at = ""
fields_at = "attributes"
capitals = true
empty_as = "text"
fields = { path = "/v3/contacts/attributes", at = "attributes" }

[write]
method = "PUT"
path = "/v3/contacts/{id}?identifierType=ext_id"
creates = false

[read]
path = "/v3/contacts/{id}?identifierType=ext_id"
"""

# A list, with what is refused in the answer.
LISTS = """
id_at = "customer_id"

[write]
path = "/v1/customers"
errors = { at = "rejected_items", id_at = "customer_id" }

[read]
path = "/v1/customers/{id}"
at = "data"
"""

SHAPES = {"jobs": JOBS, "contacts": CONTACTS, "lists": LISTS}


def rest(shape: str, *, address: str = "http://127.0.0.1:1", **changed: Any) -> Rest:
    settings = tomllib.loads(SHAPES[shape]) | {"kind": "rest", "name": "crm", "address": address} | changed
    return Rest.model_validate(settings)
