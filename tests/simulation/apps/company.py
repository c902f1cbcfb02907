"""Acme with an app: who has an account there, what admins, schedules and the stream bring about.

apps.begin()                       settings saved with the app, nobody there yet
apps.hire("ada", Department="Sales")
apps.run_import(); apps.push()     what schedules start
apps.follow()                      the table's stream is handed over until all of it is done
"""

import copy
from collections.abc import Sequence
from typing import Any

import deprovisioning
import scheduled_push
from muster.roster.accounts import NO_ACCOUNT, Account
from muster.runs.running import SCHEDULE
from tests.doubles.scim_in_process import new_user
from tests.simulation.harness.scim_wire import HOST, SERVICE
from tests.simulation.harness.strict_aws import Row
from tests.simulation.harness.subject import ENDED_WELL, Moment, Said
from tests.simulation.harness.world import Violation, World
from tests.simulation.imports.company import SALES, SUPPORT, Company

APP = "scim.app"
PUSH, CLOSES = "ScheduledPushFunction", "DeprovisioningFunction"
# Longer than a lease holds.
A_WHILE = 20
MOST_ROUNDS = 8
# As template.yaml has the stream's batch; and how often one is tried before it has to be done.
BATCH = 10
MOST_TRIES = 40
_PAUSE_S = 20


class AppCompany(Company):
    """One company in a world, with its app."""

    def __init__(self, world: World) -> None:
        """Take the world; `begin` has to come first."""
        super().__init__(world)
        # Users of the app who are nobody's, by id: as they are, and their groups.
        self.strangers: dict[str, tuple[Said, list[str]]] = {}
        # Revision of each member that the stream has handed over, and what it has yet to hand over.
        self._revisions: dict[str, str] = {}
        self._records: list[Said] = []
        self._number = 100_000

    # ── People ───────────────────────────────────────────────────────────────────────────────────

    def begin(self, **keys: Any) -> None:
        """Begin anew, with these keys in the app's section of the settings and nobody there."""
        scim = self.world.scim
        scim.control("POST", "reset")
        scim.control("POST", "faults", [])
        scim.quirks()
        self.strangers.clear()
        self._revisions.clear()
        self._records.clear()
        managed: dict[str, Any] = {"managers": {"notify": False}, "seats": {}, "seat_required": {}}
        super().begin(
            **managed,
            assignments=[{"name": each["name"], "filter": each["filter"]} for each in (SALES, SUPPORT)],
            connections={"salesforce": self.world.salesforce.connection, "scim": {"app": section(**keys)}},
        )

    def connect(self, **keys: Any) -> Said:
        """Save settings with the app's section changed."""
        connections = {**self.document["connections"], "scim": {"app": section(**keys)}}
        return self.put(connections=connections)

    def hire_all(self, department: str, *names: str) -> None:
        """Create people in Salesforce."""
        for name in names:
            self.hire(name, Department=department)

    def stranger(self, name: str, *groups: str) -> str:
        """Make a user in the app by hand, in groups that are made for it; returns the id."""
        body = new_user(f"{name}@acme.example")
        user = str(self.world.scim.control("POST", "admin/Users", body, status=201)["id"])
        for group in groups:
            self.world.scim.group(group, user)
        return user

    def note_strangers(self) -> None:
        """Take all users who are no member's by now for strangers, whom nobody may touch."""
        own = {account.id for account in self.accounts().values() if account.is_linked}
        self.strangers = {
            user["id"]: (_essence(user), self.groups_of(user["id"]))
            for user in self.users_of_app()
            if user["id"] not in own
        }

    def stranger_now(self, user: str) -> tuple[Said, list[str]] | None:
        """Return a user of the app as it is now, and its groups."""
        found = [each for each in self.users_of_app() if each["id"] == user]
        return (_essence(found[0]), self.groups_of(user)) if found else None

    # ── The app, as its admin sees it ────────────────────────────────────────────────────────────

    def users_of_app(self) -> list[Said]:
        """Return all users."""
        return self.world.scim.app.directory.all("User")

    def groups_of_app(self) -> list[Said]:
        """Return all groups."""
        return self.world.scim.app.directory.all("Group")

    def groups_of(self, user: str) -> list[str]:
        """Return the names of the groups that a user is in."""
        return sorted(
            each["displayName"]
            for each in self.groups_of_app()
            if user in [one["value"] for one in each.get("members") or []]
        )

    def name_in_app(self, user: Said) -> str:
        """Return a user's first name."""
        return str(user["userName"]).partition("@")[0]

    def in_groups(self) -> dict[str, str]:
        """Return who is in which group, of those whom the app lets in."""
        let_in = [each for each in self.users_of_app() if each.get("active") is not False]
        names = {each["id"]: self.name_in_app(each) for each in let_in}
        return {
            each["displayName"]: " ".join(
                sorted(names[one["value"]] for one in each.get("members") or [] if one["value"] in names)
            )
            for each in self.groups_of_app()
        }

    def let_in(self) -> str:
        """Return whom the app lets in."""
        return " ".join(
            sorted(self.name_in_app(each) for each in self.users_of_app() if each.get("active") is not False)
        )

    def delete_group(self, name: str) -> None:
        """Delete a group by hand, in the app."""
        [group] = [each["id"] for each in self.groups_of_app() if each["displayName"] == name]
        self.world.scim.control("DELETE", f"admin/Groups/{group}", status=204)

    def accounts(self) -> dict[str, Account]:
        """Return the accounts that members have, by the members' ids."""
        return {member.id: member.accounts.get(APP, NO_ACCOUNT) for member in self.roster().members.values()}

    # ── Admins and schedules ─────────────────────────────────────────────────────────────────────

    def push(self, by: str = SCHEDULE, **event: Any) -> Said:
        """Invoke the push to the app."""
        about_a_run = {"run_id", "approve", "reject"} & event.keys()
        which = {} if about_a_run else {"connections": [APP]}
        return self._invoke(
            PUSH, scheduled_push.handler, {"organization": "acme", "by": by, **which, **event}
        )

    def push_approved(self) -> Said:
        """Push; what is parked an admin lets pass."""
        said = self.push()
        return self.push(by="jane", approve=said["run_id"]) if said["status"] == "parked" else said

    def say(self, word: str, *names: str) -> Said:
        """Say of accounts that they are to be adopted, ignored or reconsidered."""
        return self.edit(*({"member": name, "accounts": {APP: word}} for name in names))

    def quiet(self) -> None:
        """Let the stream and schedules go on without any fault until they write and call nothing (I9).

        What waits for another try has it, a day later.
        """
        self.world.settle()
        self.follow()
        for _ in range(MOST_ROUNDS):
            self.world.clock.advance(minutes=A_WHILE)
            before, made = self.rows_of_roster(), len(self.world.wire.calls)
            done = [self.push_approved(), self.mend("incremental")]
            self.follow()
            calls = self.world.wire.calls[made:]
            has_called = any(call.service == SERVICE for call in calls)
            ended_well = all(said["status"] in ENDED_WELL and not said["counts"] for said in done)
            if ended_well and not has_called and self.rows_of_roster() == before:
                if not any(account.tries for account in self.accounts().values()):
                    return
                self.world.clock.advance(hours=26)
        raise Violation(f"without any fault it does not come to rest: {done}, {has_called}")

    # ── The table's stream ───────────────────────────────────────────────────────────────────────

    def follow(self) -> None:
        """Hand over what was written of members who are not active until it is done, as Lambda does."""
        self._records += self._written()
        tries = 0
        while self._records:
            tries += 1
            if tries > MOST_TRIES:
                raise Violation("the stream does not come to an end")
            batch, rest = self._records[:BATCH], self._records[BATCH:]
            left = self._hand_over(batch)
            if left:
                self.world.clock.advance(seconds=_PAUSE_S)
            self._records = [*left, *rest, *self._written()]

    def _hand_over(self, batch: Sequence[Said]) -> Sequence[Said]:
        said = self._invoke(CLOSES, deprovisioning.handler, {"Records": [*batch]})
        if "batchItemFailures" not in said:
            return batch
        numbers = [each["dynamodb"]["SequenceNumber"] for each in batch]
        failed = [numbers.index(each["itemIdentifier"]) for each in said["batchItemFailures"]]
        return batch[min(failed) :] if failed else []

    def _written(self) -> list[Said]:
        found = []
        for row in self.rows_of("acme"):
            name = row["sk"]["S"]
            if not name.startswith("MEMBER#") or self._revisions.get(name) == row["revision"]["N"]:
                continue
            self._revisions[name] = row["revision"]["N"]
            if not row["active"]["BOOL"]:
                found.append(self._record_of(row))
        return found

    def _record_of(self, row: Row) -> Said:
        self._number += 1
        change = {
            "SequenceNumber": str(self._number),
            "ApproximateCreationDateTime": self.world.clock.moment.timestamp(),
            "Keys": {name: row[name] for name in ("pk", "sk")},
            "NewImage": row,
        }
        return {"eventName": "MODIFY", "dynamodb": change}

    # ── Going back ───────────────────────────────────────────────────────────────────────────────

    def moment(self) -> Moment:
        """Return how to make everything what it is now."""
        company, directory = super().moment(), self.world.scim.app.directory
        resources, past = list(directory.resources), list(directory._past)
        quirks, strangers = directory.quirks, copy.deepcopy(self.strangers)
        revisions, records = dict(self._revisions), list(self._records)

        def go_back() -> None:
            company()
            # A resource is replaced, never changed: see `Directory._before`.
            directory.resources, directory._past = list(resources), list(past)
            self.world.scim.app.put_quirks(quirks)
            self.world.scim.control("POST", "faults", [])
            self.strangers = copy.deepcopy(strangers)
            self._revisions, self._records = dict(revisions), list(records)

        return go_back


def section(**keys: Any) -> Said:
    """Return the app's section of the settings; everybody is to be in it unless `keys` say otherwise."""
    return {"host": HOST, "who": "everyone", **keys}


def _essence(user: Said) -> Said:
    return {name: value for name, value in user.items() if name not in ("meta", "groups")}
