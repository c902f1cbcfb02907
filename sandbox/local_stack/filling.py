"""Fills a stack that was just started: people of a company, and settings that connect its app.

What an admin does next is left to be done: to import the people, and to push them to the app.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ruamel.yaml import YAML

from sandbox import company
from sandbox.company import CONTRACTORS_DOMAIN, DOMAIN
from sandbox.local_stack import user_pool
from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.stack import APP, ORGANIZATION, POOL, LocalStack

BY = "local-stack@acme.example"
_SECTIONS: dict[str, Any] = {
    "domains": {"primary": DOMAIN, "company": [DOMAIN], "additional": [CONTRACTORS_DOMAIN]},
    "auto_provision": {"require_call_center": False},
    "assignments": [
        {"name": "Sales", "filter": "Profile.Name = 'Sales'"},
        {"name": "Support", "filter": "Department = 'Support'"},
        {"name": "Everyone else"},
    ],
}


def fill(stack: LocalStack) -> Path:
    """Make users in Salesforce and in the user pool, connect the app, and return a file with the settings.

    The settings are in force; the file is to be edited, and applied again. What is there already stays.
    Raises RuntimeError with the words of whoever refuses.
    """
    people = company.people(divisions=1)
    salesforce = SalesforceAdmin(stack)
    if not salesforce.query(f"SELECT Id FROM User WHERE Username = '{people[0].username}'"):  # noqa: S608 - made up here
        # The pool first: whoever is in Salesforce is taken to be in both.
        user_pool.People(stack).add(person.username for person in people if person.is_active)
        company.load(stack, people)
    settings = stack.invoke("OrganizationSettingsFunction", action="get")["settings"]
    missing = {name: section for name, section in _SECTIONS.items() if name not in settings}
    connected = {**connections(stack), **settings["connections"]}
    settings = {**settings, "connections": connected, **missing}
    said = stack.invoke(
        "OrganizationSettingsFunction", action="put", settings=settings, by=BY, why="An app is connected"
    )
    if said["status"] != "succeeded":
        raise RuntimeError(f"OrganizationSettingsFunction answered {said['message']}")
    path = stack.folder / f"{ORGANIZATION}.yaml"
    with path.open("w") as file:
        YAML().dump(settings, file)
    return path


def connections(stack: LocalStack, who: Any = "everyone") -> dict[str, Any]:
    """Return what the settings say of the app and the user pool, with who is in both."""
    return {
        "scim": {APP: {"host": urlsplit(stack.app).netloc, "who": who}},
        "cognito": {POOL: {"user_pool": stack.facts["user_pool"]["id"], "who": who}},
    }
