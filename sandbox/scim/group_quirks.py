"""What is wrong with a call about the members of a group."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.scim.protocol import Answer, Call, Json, Refused, is_about, member_ids, touched

if TYPE_CHECKING:
    from sandbox.scim.scim_app import ScimApp

UNREADABLE = "Request is unparsable, syntactically incorrect, or violates schema"
_ONE_MEMBER = re.compile(r'members\[value eq "', re.IGNORECASE)


def _about_members(call: Call) -> list[Json]:
    return [each for each in call.operations() if any(is_about(name, "members") for name in touched(each))]


def _members(call: Call, app: "ScimApp") -> list[Json]:
    return (app.directory.peek("Group", str(call.id)) or {}).get("members") or []


def _op(operation: Json) -> str:
    return str(operation.get("op")).casefold()


def _values(operation: Json) -> list[str]:
    value = operation.get("value")
    if isinstance(value, dict) and "members" in value:
        value = value["members"]
    return member_ids(value)


def too_many(call: Call, app: "ScimApp") -> Answer | None:
    """Refuse more members in one call than the limit."""
    limit = app.quirks.members_per_call
    if limit is None or call.kind != "Group":
        return None
    operations = _about_members(call)
    named = sum(len(_values(each)) for each in operations)
    named += sum(len(_ONE_MEMBER.findall(str(each.get("path")))) for each in operations)
    if named + len(call.object.get("members") or []) > limit:
        raise Refused(400, UNREADABLE, "invalidSyntax")
    return None


def replace_refused(call: Call, app: "ScimApp") -> Answer | None:
    """Refuse to replace all members, or to remove them all."""
    if app.quirks.refuses_member_replace and call.kind == "Group":
        for operation in _about_members(call):
            empties = _op(operation) == "remove" and str(operation.get("path")).casefold() == "members"
            if _op(operation) == "replace" or (empties and not _values(operation)):
                raise Refused(400, UNREADABLE, "invalidSyntax")
    return None


def in_post_and_put(call: Call, app: "ScimApp") -> Answer | None:
    """Overlook the members in a POST or PUT, or refuse them."""
    if call.kind != "Group" or call.method not in {"POST", "PUT"} or not isinstance(call.body, dict):
        return None
    how = app.quirks.members_in_post_and_put
    if how == "taken":
        return None
    current = _members(call, app)
    if how == "refused" and call.method == "PUT" and _differ(call.body.get("members"), current):
        raise Refused(400, "members cannot be changed by PUT", "mutability")
    from_okta = "okta" in (call.headers.get("User-Agent") or "").casefold()
    if how == "ignored" or (how == "okta_only" and not from_okta):
        call.body = {key: value for key, value in call.body.items() if key != "members"}
        if current:
            call.body["members"] = current
    return None


def _differ(given: object, current: list[Json]) -> bool:
    return set(member_ids(given or [])) != set(member_ids(current))


def remove_value_list(call: Call, app: "ScimApp") -> Answer | None:
    """Take a list of members to remove, which the RFC has no place for."""
    how = app.quirks.remove_value_list
    if how == "refused" or call.kind != "Group":
        return None
    for operation in _about_members(call):
        gone = _values(operation)
        if _op(operation) == "remove" and gone:
            if how == "empties_the_group":
                del operation["value"]
            else:
                del operation["value"]
                operation["path"] = f"members[{' or '.join(f'value eq "{each}"' for each in gone)}]"
    return None


def added_again(call: Call, app: "ScimApp") -> Answer | None:
    """Do something about members who are added though they are members."""
    if app.quirks.added_again == "kept" or call.kind != "Group":
        return None
    current = set(member_ids(_members(call, app)))
    added = [one for each in _about_members(call) if _op(each) == "add" for one in _values(each)]
    again = [one for one in added if one in current]
    if again and app.quirks.added_again == "refused":
        raise Refused(409, f"{again[0]} is a member already", "uniqueness")
    call.doubled = again
    return None


RULES: tuple[Callable[[Call, "ScimApp"], Answer | None], ...] = (
    too_many,
    replace_refused,
    in_post_and_put,
    remove_value_list,
    added_again,
)


def double(call: Call, answer: Answer, app: "ScimApp") -> None:
    """Add members once more."""
    if call.doubled and answer.status < 300:
        members = _members(call, app) + [{"value": each} for each in call.doubled]
        app.directory.put_members(str(call.id), members)


def hide_members(call: Call, answer: Answer, app: "ScimApp") -> None:
    """Show fewer members than there are."""
    limit = app.quirks.members_shown
    if limit is not None and call.kind == "Group":
        for row in answer.rows:
            shown = (row.get("members") or [])[:limit]
            row.pop("members", None)
            if shown:
                row["members"] = shown
