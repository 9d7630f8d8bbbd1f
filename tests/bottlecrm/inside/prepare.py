"""Run by BottleCRM's own Python: its tables, and a company with an administrator, a member and 200 contacts of theirs.

What a test has to know of them is written as JSON: tokens, ids. The contacts hold what connectors and people will make
fields for: the external id, and something of people's own.

The tables are made from its models, in 8 seconds; its 239 migrations make the same ones in 2 minutes. The row level
security of its tenants, which the migrations bring, is switched on here.
"""

from __future__ import annotations

import json
import os
import sys

import django
from django.conf import settings


class _FromModels(dict):
    """Says of every app that it has no migrations."""

    def __contains__(self, app: object) -> bool:
        return True

    def __getitem__(self, app: object) -> None:
        return None


os.environ["DJANGO_SETTINGS_MODULE"] = "crm.settings"
settings.MIGRATION_MODULES = _FromModels()
django.setup()

from common.models import Org, PersonalAccessToken, Profile, User  # noqa: E402 - there are no models before the set-up
from common.rls import ORG_SCOPED_TABLES, get_enable_policy_sql  # noqa: E402
from contacts.models import Contact  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

call_command("migrate", run_syncdb=True, verbosity=0)
with connection.cursor() as cursor:
    for table in ORG_SCOPED_TABLES:
        cursor.execute(get_enable_policy_sql(table))
    company = Org.objects.create(name="Example")
    cursor.execute("SELECT set_config('app.current_org', %s, false)", [str(company.id)])

profiles = {
    name: Profile.objects.create(user=User.objects.create_user(email=f"{name}@example.com"), org=company, role=role)
    for name, role in (("admin", "ADMIN"), ("member", "USER"))
}
tokens = {
    name: PersonalAccessToken.generate(profiles[who], name, scopes=scopes)[0]
    for name, who, scopes in (
        ("admin", "admin", ["contacts:read", "contacts:write", "tasks:read", "tasks:write", "custom-fields:read",
                            "custom-fields:write"]),
        ("member", "member", []),
        ("reader", "admin", ["*:read"]),
    )
}  # fmt: skip
contacts = {}
for place in range(200):
    custom = {"attrition_external_id": f"É-{place}", "theirs": f"of É-{place}"}
    contact = Contact.objects.create(first_name="Somebody", last_name="Example", org=company, custom_fields=custom)
    contact.assigned_to.add(profiles["member"])
    contacts[f"É-{place}"] = str(contact.id)
json.dump({"tokens": tokens, "member": str(profiles["member"].id), "contacts": contacts}, sys.stdout)
