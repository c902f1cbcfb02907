"""The page that shows who is in the app: a table of people and one of groups."""

from flask import render_template_string

from sandbox.scim.directory import Directory
from sandbox.scim.protocol import Json, is_active, member_ids, primary_email

# Groups are often as large as the company; the first names say enough.
MEMBERS_SHOWN = 12

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><meta http-equiv="refresh" content="2"><title>{{ title }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: 0 } h2 { font-size: 1.1rem; margin-top: 2rem }
p { opacity: .7; margin: .2rem 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .35rem 1rem .35rem 0 }
th { font-weight: 600; border-bottom: 2px solid #8886 }
td { border-bottom: 1px solid #8883 }
.closed td { opacity: .55 }
.state { font-size: .85rem; border-radius: 1rem; padding: .1rem .6rem; background: #1a7f3722; color: #1a7f37 }
.closed .state { background: #8882; color: inherit }
</style>
</head>
<body>
<h1>{{ title }}</h1>
{% set active = people | selectattr("active") | list | length -%}
<p>{{ active }} active, {{ people | length }} in all. The page keeps itself up to date.</p>
<h2>People: {{ people | length }}</h2>
{% if people -%}
<table>
<tr><th>Name</th><th>User name</th><th>E-mail</th><th>Title</th><th>Seats</th><th>Groups</th><th>Account</th>
<th>Last change</th></tr>
{% for each in people -%}
<tr{% if not each.active %} class="closed"{% endif %}><td>{{ each.name }}</td><td>{{ each.user_name }}</td>
<td>{{ each.email }}</td><td>{{ each.title }}</td><td>{{ each.seats }}</td><td>{{ each.groups }}</td>
<td><span class="state">{{ "active" if each.active else "closed" }}</span></td>
<td>{{ each.changed }}</td></tr>
{% endfor -%}
</table>
{% else -%}
<p>Nobody has an account yet. Whoever is provisioned appears here.</p>
{% endif -%}
<h2>Groups: {{ groups | length }}</h2>
{% if groups -%}
<table>
<tr><th>Name</th><th>Members</th><th>Who</th></tr>
{% for each in groups -%}
<tr><td>{{ each.name }}</td><td>{{ each.members }}</td><td>{{ each.who }}</td></tr>
{% endfor -%}
</table>
{% else -%}
<p>There are no groups yet.</p>
{% endif -%}
</body>
</html>
"""


def page(directory: Directory, title: str) -> str:
    """Return the page as HTML; it loads itself again every two seconds. Needs a Flask app around it."""
    groups = directory.all("Group")
    people = [_person(user, groups) for user in directory.all("User")]
    # Those whose accounts are open first.
    people.sort(key=lambda person: (not person["active"], str(person["name"]).casefold()))
    names = {str(person["id"]): str(person["name"]) for person in people}
    rows = sorted((_group(group, names) for group in groups), key=lambda row: str(row["name"]).casefold())
    return render_template_string(_PAGE, title=title, people=people, groups=rows)


def _person(user: Json, groups: list[Json]) -> dict[str, object]:
    name = user.get("name") or {}
    parts = (name.get("givenName"), name.get("familyName"))
    whole = user.get("displayName") or " ".join(part for part in parts if part)
    own = [str(each.get("displayName")) for each in groups if user["id"] in _members(each)]
    seats = [str(each.get("value")) for each in user.get("entitlements") or []]
    return {
        "id": user["id"],
        "name": whole or user["userName"],
        "user_name": user["userName"],
        "email": primary_email(user) or "",
        "title": user.get("title") or "",
        "seats": ", ".join(seats),
        "groups": ", ".join(own),
        "active": is_active(user),
        "changed": str(user["meta"]["lastModified"])[:19].replace("T", " "),
    }


def _group(group: Json, names: dict[str, str]) -> dict[str, object]:
    who = sorted((names.get(each, each) for each in _members(group)), key=str.casefold)
    more = [f"and {len(who) - MEMBERS_SHOWN} more"] if len(who) > MEMBERS_SHOWN else []
    shown = ", ".join([*who[:MEMBERS_SHOWN], *more])
    return {"name": str(group.get("displayName")), "members": len(who), "who": shown}


def _members(group: Json) -> list[str]:
    return member_ids(group.get("members") or [])
