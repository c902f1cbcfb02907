"""The words for what answers hold as codes: attributes, features, statuses, origins, causes, moments (V3).

The same words wherever something is shown; Salesforce's and Veeva's own where they have some.
"""

from collections.abc import Iterable, Sequence
from typing import Any

FEATURES = {"engage": "Engage", "engage_connect": "Engage Connect"}
# As Vault CRM labels them.
STATUSES = {
    "retry_request": "Retry Request",
    "request_sent": "Request Sent",
    "no_licenses_remaining": "No Licenses Remaining",
    "invalid_group_name": "Invalid Group Name",
    "user_not_in_connect": "User not in Connect",
    "user_create_failed": "User Create Failed",
    "user_update_failed": "User Update Failed",
    "request_failed": "Request Failed",
    "success": "Success",
}
CONNECTIONS = {"salesforce": "Salesforce", "vault_crm": "Vault CRM", "align": "Align"}
_KINDS_OF_APPS = {"scim": "SCIM", "cognito": "Cognito"}


def connection(name: str) -> str:
    """Return what a connection is called: `scim.gong` is gong (SCIM)."""
    kind, _, called = name.partition(".")
    return f"{called} ({_KINDS_OF_APPS.get(kind, kind)})" if called else CONNECTIONS.get(name, name)


# How an account in an app stands.
ACCOUNTS = {
    "active": "open",
    "inactive": "closed",
    "deleted": "deleted",
    "to_adopt": "to be adopted",
    "conflict": "not clearly theirs",
    "ignored": "left alone",
    "no_licence": "no licence left",
    "failed": "failed",
}
# Of the settings, by which an account that was there is adopted.
RULES = {"same_user_name": "the rule same_user_name of the settings"}
_ATTRIBUTES = {
    "active": "active",
    "inactive_reason": "why not active",
    "enabled": "enabled",
    "inbound_enabled": "takes calls",
    "email": "e-mail",
    "phone_numbers": "phone",
    "picture_url": "picture",
    "crm_user_status": "CRM user status",
    "custom": "custom field",
    "crm": "ids in CRM",
}
# So many of a list are named in a sentence.
NAMED = 3


def spaced(code: str | None) -> str:
    """Return a code as words: `record_web_conferences` as "record web conferences"."""
    return (code or "").replace("_", " ")


def attribute(field: str) -> str:
    """Return what an attribute of a member is called; `field` is its name in history, with dots."""
    first, _, rest = field.partition(".")
    name, _, last = rest.rpartition(".")
    match first:
        case "accounts" if rest:
            called = f"account in {connection(name or last)}"
            return f"id of the {called}" if last == "id" else called
        case "seats":
            return f"seat {name or last}"
        case "workspaces":
            return f"workspace {rest}"
        case "data_capture":
            return spaced(name or last)
        case "engage" | "engage_connect":
            return f"{FEATURES[first]} {rest}"
        case "custom" if rest:
            return rest
        case "phone_numbers" if rest:
            return f"{rest} phone" if rest == "mobile" else "phone"
        case "crm" if rest:
            return f"{spaced(last)} in {CONNECTIONS.get(name, name)}"
    return _ATTRIBUTES.get(first, spaced(first))


def value(given: Any) -> str:
    """Return a value as a sentence shows it."""
    match given:
        case None | "":
            return "none"
        case bool():
            return "yes" if given else "no"
    shown = str(given)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"


def value_of(field: str, given: Any) -> str:
    """Return a value of an attribute, named as in history: states of accounts have words."""
    if given and field.startswith("accounts.") and field.endswith(".state"):
        return ACCOUNTS.get(str(given), spaced(str(given)))
    return value(given)


def status(code: str | None) -> str:
    """Return the status of a request for a group as Vault CRM labels it; an unknown one as it is."""
    return STATUSES.get(code or "", code or "")


def origin(code: str | None) -> str:
    """Return who or what set a value, as a sentence ends: "by Field sales", "by hand, jane@acme.example"."""
    kind, _, who = (code or "").partition(":")
    match kind:
        case "assignment":
            return f"by {who}"
        case "manual":
            return f"by hand, {who}"
        case "manager":
            return f"by their manager, {who}"
        case "crm":
            return "from Salesforce"
        case "align":
            return "from Align"
    return spaced(code)


def cause(run: str, by: str | None = None) -> str:
    """Return what brought a change about; `run` as the history has it, `by` the change's origin."""
    kind, _, name = run.partition(":")
    who = _person(by)
    match kind:
        case "run":
            return f"run {name}"
        case "webhook":
            return "message from Salesforce"
        case "leaving":
            return "closed at once"
        case "edit":
            return f"edited by {who}" if who else "edited by hand"
        case "groups":
            return f"group request by {who}" if who else "group request by hand"
        case "erase":
            return f"erased by {who}" if who else "erased by hand"
    return spaced(kind)


def _person(code: str | None) -> str:
    kind, _, who = (code or "").partition(":")
    return who if kind in ("manual", "manager") else ""


def moment(at: str | None) -> str:
    """Return a moment (ISO 8601, UTC) to the minute."""
    return (at or "")[:16].replace("T", " ")


def listed(names: Sequence[str], most: int = NAMED, total: int | None = None) -> str:
    """Return names as a sentence lists them: the first, and how many others there are."""
    count = len(names) if total is None else total
    shown = [*names[:most]]
    if count > len(shown):
        return f"{', '.join(shown)} and {count - len(shown):,} more" if shown else f"{count:,}"
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


def joined(parts: Iterable[str | None], between: str = "; ") -> str:
    """Return the parts that say something, as one text."""
    return between.join(part for part in parts if part)
