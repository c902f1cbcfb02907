"""Preflight: checks each connection, from its secret to its last permission (U1 to U6).

A read that fails is reported as such and does not hide other results. Nothing is changed anywhere.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from typing import Any

from muster.checks import Check, NotAsked, Read, Result, unread
from muster.connections import (
    credential_expiry,
    salesforce_checks,
    scim_checks,
    user_pool_checks,
    vault_checks,
)
from muster.connections.access_checks import AccessFound, SecretFound, lacking
from muster.connections.ports import App, Ports, Scim, Vault, VaultMetadata
from muster.crm import align_fields, scim_attributes, scim_resources, vault_fields, vql
from muster.crm.engage_features import FEATURES
from muster.crm.vault_records import Field
from muster.errors import Misconfigured, MusterError, NotAllowed, NotServed, Problem, Rejected
from muster.settings import Settings, mappings, trial_queries
from muster.settings.scim_connection import ScimConnection
from muster.settings.sections import AlignConnection, SalesforceConnection, VaultCrmConnection
from muster.settings.target_connection import TargetConnection
from muster.settings.user_pool_connection import UserPoolConnection

# How long one read may take, retries included; with less time left, the rest is reported as not asked.
_LONGEST_READ_S = 75
# A version that vaults have served for years: asking in it which versions a vault serves always works.
_OLD_VERSION = "v24.1"
_NAMED_IN_MESSAGE = 3
# What an app has to allow, by its kind.
_RIGHTS = {"scim": scim_checks.RIGHTS, "cognito": user_pool_checks.RIGHTS}
# Asks for nobody: whoever wants to know whether Vault CRM answers.
HARMLESS_QUERY = vql.select(["id"], vault_fields.OBJECT, vql.equal("id", "0"))


def failed_push_checks(settings: Settings, vault: VaultMetadata) -> list[Check]:
    """Return the failed ones of the Vault CRM checks that a push depends on; two calls and a login (U6).

    A check that could not be made does not block the push: the push will meet the same error and report it.
    """
    me = _read(vault.me)
    fields = _after(me, lambda: vault.fields(vault_fields.OBJECT))
    return [
        check for check in vault_checks.push_checks(settings, me, fields) if check.result is Result.FAILED
    ]


def failed_app_checks(connection: TargetConnection, app: App) -> list[Check]:
    """Return the failed ones of the checks that a push to an app depends on; a call or two (U6)."""
    users = _read(lambda: app.first_page(scim_resources.USERS))
    groups = _after(users, lambda: app.first_page(scim_resources.GROUPS))
    found = scim_checks.push_checks(users, groups, _RIGHTS[connection.kind])
    return [check for check in found if check.result is Result.FAILED]


def failed_align_checks(settings: Settings, align: VaultMetadata) -> list[Check]:
    """Return the failed ones of the checks that reading from and writing to Align depends on (U3, U6)."""
    me = _read(align.me)
    fields = _after(me, lambda: align.fields(align_fields.OBJECT))
    return [
        check
        for check in vault_checks.align_push_checks(settings, me, fields)
        if check.result is Result.FAILED
    ]


@dataclass(frozen=True, slots=True)
class Checking:
    """Checks one organization's connections; `remaining` returns the seconds left in the invocation."""

    settings: Settings
    ports: Ports
    remaining: Callable[[], float]
    today: date

    def check(self, wanted: Sequence[str] | None = None, *, candidates: bool = False) -> dict[str, Any]:
        """Return the checklist of the wanted connections, of all in the settings if `wanted` is `None`.

        `candidates` adds the users who may be Align's integration user. Raises `Rejected` for a connection
        that is not in the settings, and for candidates without Align.
        """
        names = self._named(wanted)
        if candidates and "align" not in names:
            remedy = "They are Align's users: add connections.align, and name it if you name connections."
            raise Rejected(Problem("candidates", "cannot be listed without Align", remedy))
        rows = self.rows(names)
        extra: dict[str, Any] = {}
        if candidates:
            found = self._candidates()
            extra["candidates"] = [] if isinstance(found, MusterError) else found
            if isinstance(found, MusterError):
                rows.append(("align", unread("candidates", found)))
        return _answer(rows) | extra

    def rows(self, names: Sequence[str] | None = None) -> list[tuple[str, Check]]:
        """Return the checks of these connections, each with its name; of all in the settings if `None`."""
        there = [name for name, _ in self.settings.connections.each()]
        return [
            (name, check) for name in (there if names is None else names) for check in self._checks_of(name)
        ]

    def _named(self, wanted: Sequence[str] | None) -> list[str]:
        there = [name for name, _ in self.settings.connections.each()]
        refused = [
            Problem(
                f"connections[{index}]",
                f"names {name}, which is not in the settings",
                f"Add connections.{name} to the settings, or leave it out.",
            )
            for index, name in enumerate(wanted or ())
            if name not in there
        ]
        if refused:
            raise Rejected(*refused)
        if not there:
            remedy = "Add connections.salesforce with OrganizationSettingsFunction, action put."
            raise Rejected(Problem("connections", "the settings have none to check", remedy))
        return [name for name in there if wanted is None or name in wanted]

    def _checks_of(self, name: str) -> Iterator[Check]:
        connections = self.settings.connections
        if name == "salesforce" and connections.salesforce:
            found = self._salesforce(connections.salesforce)
            yield from salesforce_checks.checks(self.settings, connections.salesforce, found)
        elif name == "vault_crm" and connections.vault_crm:
            crm = self._vault_crm(connections.vault_crm)
            yield from vault_checks.crm_checks(self.settings, connections.vault_crm, crm)
        elif name == "align" and connections.align:
            align = self._align(connections.align)
            yield from vault_checks.align_checks(self.settings, connections.align, align)
        elif target := connections.scim.get(name.removeprefix("scim.")):
            yield from scim_checks.checks(target, self._scim(target))
        elif pool := connections.cognito.get(name.removeprefix("cognito.")):
            yield from user_pool_checks.checks(pool, self._user_pool(pool))

    # ── Gather ───────────────────────────────────────────────────────────────────────────────────────

    def _salesforce(self, connection: SalesforceConnection) -> salesforce_checks.SalesforceFound:
        org = self.ports.salesforce(connection)
        secret = self._secret(connection.secret)
        versions = self._ask(org.versions)
        login = self._log_in(secret, salesforce_checks.secret_keys(connection), org.log_in)
        fields = self._after(login, lambda: [str(each.get("name")) for each in org.describe()["fields"]])
        users = self._after(login, lambda: next(org.query(salesforce_checks.COUNT_OF_USERS)).total)
        queries = [*trial_queries.queries(self.settings), salesforce_checks.WHO_IS_FROZEN]
        refusals = self._after(login, lambda: org.refusals(queries))
        return salesforce_checks.SalesforceFound(
            access=AccessFound(secret=secret, answered=versions, login=login),
            versions=versions,
            fields=fields,
            refusals=refusals if isinstance(refusals, MusterError) else refusals[:-1],
            users=users,
            users_before=self._ask(lambda: self.ports.runs.state(self.settings.organization).salesforce.rows),
            no_logins=refusals if isinstance(refusals, MusterError) else refusals[-1],
            calls_used=org.calls_used,
        )

    def _vault_crm(self, connection: VaultCrmConnection) -> vault_checks.VaultFound:
        statuses = [vault_fields.status_field(feature) for feature in connection.manage_features]
        statuses += mappings.custom_fields_to_write(self.settings)
        objects = vault_checks.CRM_OBJECTS
        build = partial(_with_version, self.ports.vault_crm, connection)
        return self._vault(
            connection.secret, build, objects, vault_fields.OBJECT, statuses, counts_licences=True
        )

    def _align(self, connection: AlignConnection) -> vault_checks.VaultFound:
        names = connection.fields
        statuses = [getattr(names, feature).status for feature in FEATURES]
        statuses += [names.crm_user_status] if names.crm_user_status else []
        objects = vault_checks.ALIGN_OBJECTS
        build = partial(_with_version, self.ports.align, connection)
        return self._vault(connection.secret, build, objects, align_fields.OBJECT, statuses)

    def _scim(self, connection: ScimConnection) -> scim_checks.ScimFound:
        target = self.ports.scim(connection)
        secret = self._secret(connection.secret)
        ready = self._log_in(secret, scim_checks.SECRET_KEYS, lambda: None)
        users = self._after(ready, lambda: target.first_page(scim_resources.USERS))
        login = None if isinstance(users, int | NotAllowed) else users
        return scim_checks.ScimFound(
            access=AccessFound(secret=secret, answered=users, login=login),
            users=users if login is None else _not_known(login),
            groups=self._after(login, lambda: target.first_page(scim_resources.GROUPS)),
            found_by={
                name: self._after(login, partial(_finds_nobody, target, name))
                for name in scim_checks.filters(connection)
            },
            discovery=self._after(login, target.discovery),
        )

    def _user_pool(self, connection: UserPoolConnection) -> user_pool_checks.UserPoolFound:
        pool = self.ports.user_pool(connection)
        users = self._ask(pool.first_users)
        nobody = user_pool_checks.NOBODY
        return user_pool_checks.UserPoolFound(
            users=users,
            overlooks=self._after(users, lambda: pool.overlooks(scim_attributes.USER_NAME, nobody)),
            read=self._after(users, lambda: pool.get(scim_resources.USERS, nobody)),
        )

    def _vault(
        self,
        secret_name: str | None,
        build: Callable[[str | None], Vault],
        objects: Iterable[str],
        object_of_fields: str,
        statuses: Iterable[str],
        *,
        counts_licences: bool = False,
    ) -> vault_checks.VaultFound:
        """Query a vault; `build` takes an API version, `None` for the one in the settings."""
        vault = build(None)
        secret = self._secret(secret_name)
        login = self._log_in(secret, vault_checks.secret_keys(secret), vault.log_in)
        if isinstance(login, NotServed):
            versions = self._ask(lambda: build(_OLD_VERSION).versions())
        else:
            versions = self._after(login, vault.versions)
        me = self._after(login, vault.me)
        policy = self._after(me, lambda: vault.security_policy(_known(me).security_policy_id))
        permissions = {name: self._after(login, partial(vault.permissions, name)) for name in objects}
        fields = self._after(login, partial(vault.fields, object_of_fields))
        return vault_checks.VaultFound(
            access=AccessFound(secret=secret, answered=login, login=login),
            versions=versions,
            me=me,
            policy=policy,
            permissions=permissions,
            fields=fields,
            picklists=self._picklists(vault, fields, statuses),
            base_licences=self._after(login, vault.base_licences) if counts_licences else (),
            calls_left=vault.calls_left,
        )

    def _picklists(
        self, vault: Vault, fields: Read[Sequence[Field]], names: Iterable[str]
    ) -> dict[str, Read[Iterable[str]]]:
        if isinstance(fields, MusterError):
            return {name: _not_known(fields) for name in names}
        lists = {field.name: field.picklist for field in fields if field.picklist}
        return {name: self._ask(partial(vault.picklist, lists[name])) for name in names if name in lists}

    def _candidates(self) -> Read[list[dict[str, str]]]:
        connection = self.settings.connections.align
        if connection is None:
            return NotAsked("was not asked, because Align is not connected")
        pages = self.ports.align(connection).query
        return self._ask(
            lambda: vault_checks.candidates(
                row for page in pages(vault_checks.candidates_query()) for row in page.records
            )
        )

    def _secret(self, name: str | None) -> Read[SecretFound]:
        """Return a secret's keys and expiry; its values do not leave this method."""
        if name is None:
            return Misconfigured("the connection names no secret")
        secret = self._ask(partial(self.ports.secrets.refetch, name))
        if isinstance(secret, MusterError):
            return secret
        keys = frozenset(key for key, value in secret.items() if value.strip())
        return SecretFound(keys, credential_expiry.days_left(secret, self.today))

    def _log_in(
        self, secret: Read[SecretFound], needs: Sequence[str], log_in: Callable[[], None]
    ) -> Read[None]:
        if isinstance(secret, MusterError) or lacking(secret, needs):
            return NotAsked("was not asked, because the secret is not as it has to be")
        return self._ask(log_in)

    def _after[T](self, first: Read[Any], call: Callable[[], T]) -> Read[T]:
        return _after(first, lambda: _known(self._ask(call)))

    def _ask[T](self, call: Callable[[], T]) -> Read[T]:
        if self.remaining() < _LONGEST_READ_S:
            return NotAsked("was not asked, because time was up; check fewer connections at once")
        return _read(call)


def _finds_nobody(target: Scim, attribute: str) -> bool:
    return not target.overlooks(attribute, scim_checks.NOBODY)


def _read[T](call: Callable[[], T]) -> Read[T]:
    """Return the result of a call, or the error that it raised."""
    try:
        return call()
    except MusterError as error:
        return error


def _after[T](first: Read[Any], call: Callable[[], T]) -> Read[T]:
    """Return the result of a call that depends on an earlier read; not asked if that one failed."""
    return _not_known(first) if isinstance(first, MusterError) else _read(call)


def _not_known(why: MusterError) -> MusterError:
    return why if isinstance(why, NotAsked) else NotAsked("was not asked, because an earlier step failed")


def _known[T](value: Read[T]) -> T:
    if isinstance(value, MusterError):
        raise value
    return value


def _with_version[C: (VaultCrmConnection, AlignConnection)](
    build: Callable[[C], Vault], connection: C, api_version: str | None
) -> Vault:
    if api_version is None:
        return build(connection)
    return build(connection.model_copy(update={"api_version": api_version}))


# ── Answer ───────────────────────────────────────────────────────────────────────────────────────────


def _answer(rows: Sequence[tuple[str, Check]]) -> dict[str, Any]:
    counts = Counter(check.result for _, check in rows)
    errors = counts[Result.FAILED] + counts[Result.COULD_NOT_CHECK]
    return {
        "status": "succeeded_with_errors" if errors else "succeeded",
        "message": _in_words(rows, counts),
        "counts": {result.value: counts[result] for result in Result},
        "checks": [{"connection": name, **asdict(check)} for name, check in rows],
    }


def _in_words(rows: Sequence[tuple[str, Check]], counts: Mapping[Result, int]) -> str:
    failed = [f"{check.check} ({name})" for name, check in rows if check.result is Result.FAILED]
    if failed:
        more = len(failed) - _NAMED_IN_MESSAGE
        named = ", ".join(failed[:_NAMED_IN_MESSAGE]) + (f" and {more} more" if more > 0 else "")
        words = f"{len(failed)} of {len(rows)} checks failed: {named}."
    else:
        words = f"{counts[Result.PASSED]} of {len(rows)} checks passed, none failed."
    if counts[Result.WARNING]:
        words += f" Warnings: {counts[Result.WARNING]}."
    if counts[Result.COULD_NOT_CHECK]:
        words += f" Could not be checked: {counts[Result.COULD_NOT_CHECK]}."
    return words
