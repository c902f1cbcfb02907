"""What has become of an entry of the error log: open, solved and by which run, given up, or only told (I8).

Nothing writes that: it follows from what is recorded of the runs since, and of the member as it is now. An
entry that a later one repeats is not open by itself; the later one is. Pure.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from muster.crm import engage_features
from muster.engage import align_outcomes
from muster.provisioning import account_errors
from muster.provisioning.wanted_accounts import wanted
from muster.roster import unlinked_holders, vault_tries
from muster.roster.member import Json, Member
from muster.runs.kinds import PUSH, kind_of
from muster.runs.run import Run, Status
from muster.settings import Settings
from muster.times import timestamp

OPEN = "open"
SOLVED = "solved"
REPEATED = "repeated"
GIVEN_UP = "given_up"
TOLD = "told"
STATES = (OPEN, SOLVED, REPEATED, GIVEN_UP, TOLD)
# What an admin is shown who does not ask for more.
SHOWN = frozenset({OPEN, GIVEN_UP, TOLD})

_DONE = frozenset({Status.SUCCEEDED, Status.SUCCEEDED_WITH_ERRORS})
_IMPORTS = ("full", "incremental")

# Told for the record: nothing was wrong, or nothing has to be done.
_ONLY_TOLD = frozenset(
    {
        "removal_succeeded",
        "connection_recovered",
        "message_refuted",
        "request_kept",
        "users_frozen",
        "source_organization_id",
        "member_not_found",
        "inactivated_in_group",
        "address_taken",
        "align_member_unknown",
        "vault_user_handed_on",
        "vault_user_gone",
        "vault_moved",
        "align_request_refused",
        account_errors.NOT_RENAMED,
        account_errors.ORPHANS,
    }
)
_GIVEN_UP = frozenset({"mail_given_up"})
# Which runs, by mode, make up for what could not be done: the first one that does not tell it again.
_MADE_UP_BY: Mapping[str, Sequence[str]] = {
    "import_failed": _IMPORTS,
    "vault_not_imported": _IMPORTS,
    "held_deactivation": _IMPORTS,
    "held_seats": _IMPORTS,
    "held_groups": _IMPORTS,
    "push_failed": ("push",),
    "undo_failed": ("undo",),
    "user_not_seen": ("push",),
    "user_not_understood": ("push",),
    "align_not_reached": (*_IMPORTS, "push"),
    "connection_maintenance": (*_IMPORTS, "push"),
    "field_not_writable": ("push",),
}
# About users who wait for a namesake.
WAIT = frozenset({"waits_for_namesake", "namesake_left"})
# About a request of a group in Vault CRM: the member itself shows whether that is so still.
_OF_REQUESTS = engage_features.FAILED | {
    "not_written",
    "unknown_status",
    "request_under_way",
    "removal_not_taken",
    "removal_not_done",
    "removal_overdue",
}
# About users of Vault CRM who have a licence and are nobody's: the imports' own list shows who is still.
OF_NOBODY = frozenset({unlinked_holders.CODE, "vault_user_left_in_group"})
# Told once a day at most: a run of the same day that does not tell it again has not made up for it.
_TOLD_DAILY = frozenset({"field_not_writable"})
_DAY = timedelta(days=1)
# All other faults are about a record that the next import of everyone reads.
_BY_FULL_IMPORT = ("full",)
_BY_PUSH = ("push",)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it is listed: what was recorded, and what has become of it.

    `by` is the run that has solved it, if one did; `times` how often it was told, since `first_at`.
    """

    recorded: Json
    state: str
    by: str | None = None
    times: int = 1
    first_at: str | None = None

    def shown(self) -> Json:
        """Return it as JSON."""
        more = {"times": self.times, "first_at": self.first_at} if self.times > 1 else {}
        return {**self.recorded, "state": self.state, "solved_by": self.by, **more}


@dataclass(frozen=True, slots=True)
class Since:
    """What has happened: runs, newest first, and who is concerned, as they are now.

    `members` are by id, by the id of their user in Vault CRM and by the CRM id; `waiting` the CRM ids of
    users who still wait for a namesake, `nobodys` the ids of users of Vault CRM who have a licence and are
    linked to nobody. `refused_groups` are the groups of apps, app and name, into which somebody still cannot
    be put, and `settings` those in force; where either is `None`, what rests on it is taken to be open.
    """

    runs: Sequence[Run]
    members: Mapping[str, Member] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()
    nobodys: frozenset[str] = frozenset()
    refused_groups: frozenset[tuple[str, str]] | None = None
    settings: Settings | None = None

    def member_of(self, entry: Json) -> Member | None:
        """Return the member that an entry is about, if there is one."""
        return self.members.get(entry.get("member") or "") or self.members.get(entry["record"] or "")


def listed(entries: Iterable[Json], since: Since) -> list[Entry]:
    """Return all entries with their states, in the order given: newest first."""
    some = list(entries)
    alike: dict[tuple[str, str, str], list[Json]] = {}
    for entry in some:
        alike.setdefault(_about(entry), []).append(entry)
    found, seen = [], set()
    recovered: set[str] = set()
    for entry in some:
        about = _about(entry)
        if entry["code"] == "connection_recovered":
            recovered.add(entry["system"])
        if about in seen and entry["code"] not in _ONLY_TOLD:
            found.append(Entry(entry, REPEATED))
            continue
        seen.add(about)
        same = alike[about]
        state, by = _state(entry, since, recovered, {each["notification"] for each in same})
        found.append(Entry(entry, state, by, len(same), same[-1]["at"] if len(same) > 1 else None))
    return found


def _about(entry: Json) -> tuple[str, str, str]:
    if entry["code"] in account_errors.CODES:
        # Once it is found, an account has an id; it is the member's all the same.
        return entry["system"], entry["code"], entry.get("member") or entry["record"] or ""
    return entry["system"], entry["code"], entry["record"] or ""


def _state(
    entry: Json, since: Since, recovered: Container[str], told_again: Container[str]
) -> tuple[str, str | None]:
    """Return an entry's state, and the run that has solved it; `told_again` are the runs that told it too."""
    code, member = entry["code"], since.member_of(entry)
    if code in _ONLY_TOLD:
        return TOLD, None
    if code in _GIVEN_UP:
        return GIVEN_UP, None
    if code == "connection_quarantined":
        return (SOLVED if entry["system"] in recovered else OPEN), None
    if code in WAIT:
        return (OPEN if entry["record"] in since.waiting else SOLVED), None
    if code in OF_NOBODY:
        return (OPEN if entry["record"] in since.nobodys else SOLVED), None
    if code == "vault_user_renamed":
        return (OPEN if member and member.vault.unfit else SOLVED), None
    if code == "align_not_written":
        return (OPEN if member and align_outcomes.is_outdated(member) else SOLVED), None
    if code in account_errors.CODES:
        return (OPEN if _waits_in_app(entry, member, since) else SOLVED), None
    if code in _OF_REQUESTS and entry["system"] == engage_features.CONNECTION:
        return (OPEN if member and _still_fails(member, code) else SOLVED), None
    modes = _MADE_UP_BY.get(code, _BY_PUSH if _is_of_an_app(entry["system"]) else _BY_FULL_IMPORT)
    told_until = entry["at"]
    if code in _TOLD_DAILY:
        told_until = timestamp(datetime.fromisoformat(told_until) + _DAY)
    later = [
        run.id
        for run in since.runs
        if run.mode_or_kind in modes
        and _concerns(run, entry["system"])
        and kind_of(run).applies
        and run.status in _DONE
        and run.started_at > told_until
        and run.id not in told_again
    ]
    return (SOLVED, later[-1]) if later else (OPEN, None)


def _concerns(run: Run, system: str) -> bool:
    """Whether a run may have made up for what a system's entry tells: each app has pushes of its own."""
    is_app = _is_of_an_app(system)
    return run.app == (system if is_app else None) and (not is_app or run.kind == PUSH.name)


def _is_of_an_app(system: str) -> bool:
    """Whether a system is an app in which members have accounts: these are named like `scim.gong`."""
    return "." in system


def _waits_in_app(entry: Json, member: Member | None, since: Since) -> bool:
    """Whether a member's account, or a group, in an app is still as the entry tells."""
    app, code = entry["system"], entry["code"]
    connection = dict(since.settings.connections.targets()).get(app) if since.settings else None
    if since.settings and connection is None:
        # Nothing is done in an app that is not in the settings any more.
        return False
    if code == account_errors.GROUP_REFUSED:
        return since.refused_groups is None or (app, entry["record"]) in since.refused_groups
    if member is None:
        return False
    if code == account_errors.LACKING:
        if since.settings is None or connection is None:
            return member.active
        to_have = wanted(member, connection, since.settings, date.min)
        return to_have is not None and bool(to_have.lacking)
    return app in member.accounts and account_errors.told_of(member.accounts[app]) == code


def _still_fails(member: Member, code: str) -> bool:
    features = engage_features.FEATURES
    statuses = {feature: member.feature(feature).status for feature in features}
    if any(vault_tries.of(member, feature) for feature in features):
        return True
    match code:
        case "request_under_way":
            return engage_features.REQUEST_SENT in statuses.values()
        case "unknown_status":
            return not all(engage_features.is_known(feature, each) for feature, each in statuses.items())
        case "not_written":
            return engage_features.REQUEST_FAILED in statuses.values()
    return code in statuses.values()
