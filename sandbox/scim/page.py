"""The page that shows who is in the app: a table of people and one of groups."""

from flask import render_template_string

from sandbox.scim.directory import Directory
from sandbox.scim.protocol import Json, is_active, member_ids, primary_email

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><meta http-equiv="refresh" content="2"><title>{{ title }}</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; color: #222 }
table { border-collapse: collapse; margin-bottom: 2rem }
th, td { text-align: left; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid #ddd }
.closed td { color: #999; text-decoration: line-through }
.closed td.state { text-decoration: none }
</style>
</head>
<body>
<h1>{{ title }}</h1>
<h2>People: {{ people | selectattr("active") | list | length }} active, {{ people | length }} in all</h2>
<table>
<tr><th>Name</th><th>User name</th><th>E-mail</th><th>Title</th><th>Seats</th><th>Groups</th>
<th>State</th></tr>
{% for each in people -%}
<tr{% if not each.active %} class="closed"{% endif %}><td>{{ each.name }}</td><td>{{ each.user_name }}</td>
<td>{{ each.email }}</td><td>{{ each.title }}</td><td>{{ each.seats }}</td><td>{{ each.groups }}</td>
<td class="state">{{ "active" if each.active else "closed" }}</td></tr>
{% endfor -%}
</table>
<h2>Groups: {{ groups | length }}</h2>
<table>
<tr><th>Name</th><th>Members</th></tr>
{% for each in groups -%}
<tr><td>{{ each.name }}</td><td>{{ each.members }}</td></tr>
{% endfor -%}
</table>
</body>
</html>
"""


def page(directory: Directory, title: str) -> str:
    """Return the page as HTML; it loads itself again every two seconds. Needs a Flask app around it."""
    groups = directory.all("Group")
    people = [_person(user, groups) for user in directory.all("User")]
    rows = [{"name": str(each.get("displayName")), "members": len(_members(each))} for each in groups]
    people.sort(key=lambda person: str(person["name"]).casefold())
    rows.sort(key=lambda row: str(row["name"]).casefold())
    return render_template_string(_PAGE, title=title, people=people, groups=rows)


def _person(user: Json, groups: list[Json]) -> dict[str, object]:
    name = user.get("name") or {}
    parts = (name.get("givenName"), name.get("familyName"))
    whole = user.get("displayName") or " ".join(part for part in parts if part)
    own = [str(each.get("displayName")) for each in groups if user["id"] in _members(each)]
    seats = [str(each.get("value")) for each in user.get("entitlements") or []]
    return {
        "name": whole or user["userName"],
        "user_name": user["userName"],
        "email": primary_email(user) or "",
        "title": user.get("title") or "",
        "seats": ", ".join(seats),
        "groups": ", ".join(own),
        "active": is_active(user),
    }


def _members(group: Json) -> list[str]:
    return member_ids(group.get("members") or [])
