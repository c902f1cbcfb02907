"""Checks of what the integration users of Vault CRM and Align need (U2, U3). Pure.

Remedies use the words of Vault's Admin area. Only fields' metadata is looked at: the values of
`remote_meeting_host_id__v` and `remote_meeting_host_token__v` are never read (G2).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from muster.checks import Check, Read, Result, judged, unread
from muster.connections import written_field_checks
from muster.connections.access_checks import (
    AccessFound,
    ConnectionProfile,
    SecretFound,
    access,
    api_access,
    calls_left,
    expiry,
    version,
)
from muster.connections.credential_expiry import EXPIRES_ON
from muster.connections.licence_checks import base_licences
from muster.crm import align_fields, engage_features, vault_fields, vql
from muster.crm.pages import single
from muster.crm.vault_records import BaseLicence, Field, IntegrationUser, SecurityPolicy
from muster.errors import Misconfigured, MusterError, NotServed
from muster.settings import Settings, mappings
from muster.settings.sections import AlignConnection, VaultCrmConnection

_BY_PASSWORD, _BY_TOKEN = ("username", "password"), ("access_token",)
_EVERYTHING = ("read", "create", "edit")
# Object → the actions that the integration user needs on it.
CRM_OBJECTS: Mapping[str, tuple[str, ...]] = {
    "account__v": ("read",),
    "address__v": ("read",),
    "child_account__v": ("read",),
    "product_metrics__v": ("read",),
    "territory__v": ("read",),
    vault_fields.OBJECT: _EVERYTHING,
}
ALIGN_OBJECTS: Mapping[str, tuple[str, ...]] = {align_fields.OBJECT: _EVERYTHING}

_ENGLISH = "en"
_VAULT_OWNER, _VAULT_OWNER_KEY = "vault_owner__v", "vaultOwner"
_LANGUAGE_KEY, _PROFILE_KEY = "language__sysr.admin_key__sys", "security_profile__sysr.profile_key__sys"
_LEAST_CALLS = 0.2
_EXPIRY = "password expiry"
# What else helps where a field that is only read is not there.
_NOT_MAPPED = "; or take it out of field_maps.vault_crm."
_OTHERWISE_NAMED = "; or write its name into connections.align.fields."
_USERS = "Admin > Users & Groups > Vault Users"
_PERMISSION_SETS = (
    "Admin > Users & Groups > Permission Sets > a set of the integration user's security profile"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultFound:
    """What was found in a vault.

    `permissions` are the allowed actions by object; `fields` those of the one object whose fields matter;
    `picklists` the API names of values by field; `calls_left` is (left, limit) of the current burst window.
    """

    access: AccessFound
    versions: Read[Sequence[str]]
    me: Read[IntegrationUser]
    policy: Read[SecurityPolicy]
    permissions: Mapping[str, Read[frozenset[str]]]
    fields: Read[Sequence[Field]]
    picklists: Mapping[str, Read[Iterable[str]]] = field(default_factory=dict)
    base_licences: Read[Sequence[BaseLicence]] = ()
    calls_left: tuple[int, int] | None


def secret_keys(secret: Read[SecretFound]) -> tuple[str, ...]:
    """Return the keys that the login needs: an access token's where the secret has one, else a password's."""
    by_token = isinstance(secret, SecretFound) and secret.keys.issuperset(_BY_TOKEN)
    return _BY_TOKEN if by_token else _BY_PASSWORD


def crm_checks(settings: Settings, connection: VaultCrmConnection, found: VaultFound) -> Iterator[Check]:
    """Yield every check of Vault CRM's connection."""
    yield from _session("vault_crm", connection, found)
    yield _language(found.me)
    yield from _objects(CRM_OBJECTS, found.permissions)
    to_edit = vault_fields.to_edit(connection.manage_features)
    to_read = mappings.vault_fields_to_read(settings)
    written = mappings.custom_fields_to_write(settings)
    to_read = tuple(name for name in to_read if name not in written)
    yield from _fields(vault_fields.OBJECT, found.fields, to_edit, to_read, _NOT_MAPPED)
    yield from written_field_checks.checks(settings, found.fields, found.picklists)
    for feature in connection.manage_features:
        names = dict(getattr(connection.statuses, feature)).values()
        where = f"connections.vault_crm.statuses.{feature}"
        yield _statuses(
            vault_fields.status_field(feature), names, found, f", or write their names into {where}"
        )
    yield base_licences(found.base_licences)
    yield _password(_profile("vault_crm", connection, found), found)
    yield _burst(found)


def align_checks(settings: Settings, connection: AlignConnection, found: VaultFound) -> Iterator[Check]:
    """Yield every check of Align's connection."""
    yield from _session("align", connection, found)
    yield _language(found.me)
    yield from _vault_owner(found.me)
    yield from _objects(ALIGN_OBJECTS, found.permissions)
    yield from _align_fields(settings, found.fields)
    for feature in mappings.pushed_features(settings):
        names = dict(getattr(connection.statuses, feature)).values()
        where = f"connections.align.statuses.{feature}"
        yield _statuses(
            getattr(connection.fields, feature).status,
            names,
            found,
            f", or write their names into {where}",
        )
    if connection.fields.crm_user_status:
        yield _statuses(
            connection.fields.crm_user_status,
            dict(connection.crm_user_statuses).values(),
            found,
            ", or write their names into connections.align.crm_user_statuses",
        )
    yield _password(_profile("align", connection, found), found)
    yield _burst(found)


def push_checks(
    settings: Settings, me: Read[IntegrationUser], fields: Read[Sequence[Field]]
) -> Iterator[Check]:
    """Yield the checks that a push depends on: the login, its language, the fields that are pushed (U6)."""
    if isinstance(me, Misconfigured) and not isinstance(me, NotServed):
        yield Check("login", Result.FAILED, str(me), "Correct what it names; preflight says more.")
    yield _language(me)
    to_edit = vault_fields.to_edit(mappings.pushed_features(settings))
    yield from _fields(vault_fields.OBJECT, fields, to_edit, (), _NOT_MAPPED)


def align_push_checks(
    settings: Settings, me: Read[IntegrationUser], fields: Read[Sequence[Field]]
) -> Iterator[Check]:
    """Yield the checks that reading from and writing to Align depends on (U6)."""
    if isinstance(me, Misconfigured) and not isinstance(me, NotServed):
        yield Check("login", Result.FAILED, str(me), "Correct what it names; preflight says more.")
    yield _language(me)
    yield from _vault_owner(me)
    to_edit = mappings.align_fields_of(settings, mappings.pushed_features(settings))
    yield from _fields(
        align_fields.OBJECT, fields, to_edit, mappings.align_fields_to_read(settings), _OTHERWISE_NAMED
    )


def _align_fields(settings: Settings, fields: Read[Sequence[Field]]) -> Iterator[Check]:
    """Yield a check of each field that is written, whatever is managed, and of each that is read."""
    to_edit = mappings.align_fields_of(settings, engage_features.FEATURES)
    to_read = mappings.align_fields_to_read(settings)
    return _fields(align_fields.OBJECT, fields, to_edit, to_read, _OTHERWISE_NAMED)


# ── Candidates for Align ─────────────────────────────────────────────────────────────────────────────


def candidates_query() -> str:
    """Return the query for the active Vault Owners."""
    return vql.select(
        ("id", "username__sys", "name__v", _LANGUAGE_KEY),
        vault_fields.OBJECT,
        vql.equal("status__v", "active__v"),
        vql.equal(_PROFILE_KEY, _VAULT_OWNER_KEY),
    )


def candidates(rows: Iterable[Mapping[str, object]]) -> list[dict[str, str]]:
    """Return the Vault Owners who may be Align's integration user, ordered by username."""
    found = []
    for row in rows:
        username, name = str(single(row.get("username__sys")) or ""), str(single(row.get("name__v")) or "")
        speaks_english = single(row.get(_LANGUAGE_KEY)) == _ENGLISH
        # Vault's built-in users, like System, have no e-mail address as username.
        if "@" in username and speaks_english and not is_align_admin(username, name):
            found.append({"id": str(row["id"]), "username": username, "name": name})
    return sorted(found, key=lambda each: each["username"].lower())


def is_align_admin(username: str, name: str) -> bool:
    """Whether this is the out-of-the-box Align Admin.

    Veeva does not publish its exact name, so it is recognised by the name or the part before the @.
    """
    spelled = (name, username.partition("@")[0])
    return "alignadmin" in ["".join(filter(str.isalpha, each.lower())) for each in spelled]


# ── Checks that both vaults share ────────────────────────────────────────────────────────────────────


def _profile(
    name: str, connection: VaultCrmConnection | AlignConnection, found: VaultFound
) -> ConnectionProfile:
    needs = secret_keys(found.access.secret)
    by_token = needs == _BY_TOKEN
    return ConnectionProfile(
        connection=name,
        secret=connection.secret,
        needs=needs,
        place="right vault",
        login_remedy=(
            "Make a new access token for the integration user, in that vault (API v26.2 or later)."
            if by_token
            else "Five wrong passwords lock the user: be sure of the password before you write it."
        ),
        place_remedy=(
            f"{_USERS}, in the vault of connections.{name}.host: add the integration user there; or correct"
            " the host."
        ),
        renewal=(
            f"{'Make a new access token' if by_token else 'Set a new password'} for the integration user, and"
            " write it into the secret at once."
        ),
    )


def _session(
    name: str, connection: VaultCrmConnection | AlignConnection, found: VaultFound
) -> Iterator[Check]:
    yield from access(_profile(name, connection, found), found.access)
    yield version(name, connection.api_version, found.versions)
    yield api_access(found.me, f"{_PERMISSION_SETS} > Application > Vault Actions > API: tick Access API.")


def _language(me: Read[IntegrationUser]) -> Check:
    if isinstance(me, MusterError):
        return unread("language", me)
    return judged(
        "language",
        f"the language of user {me.id} is {me.language}",
        f"{_USERS} > user {me.id} > Language: English.",
        holds=me.language == _ENGLISH,
    )


def _vault_owner(me: Read[IntegrationUser]) -> Iterator[Check]:
    if isinstance(me, MusterError):
        yield unread("security profile", me)
        yield unread("not the Align Admin", me)
        return
    yield judged(
        "security profile",
        f"the security profile of user {me.id} is {me.security_profile}",
        f"{_USERS} > user {me.id} > Security Profile: Vault Owner; or log in with a user who has it"
        ' ("candidates": true lists them).',
        holds=me.security_profile == _VAULT_OWNER,
    )
    is_admin = is_align_admin(me.username, me.name)
    yield judged(
        "not the Align Admin",
        f"user {me.id} is {'the' if is_admin else 'not the'} out-of-the-box Align Admin",
        "That user is for Veeva's upgrades and patches. Make a Vault Owner of its own for Muster, and write"
        " its username and password into the secret.",
        holds=not is_admin,
    )


def _objects(
    wanted: Mapping[str, tuple[str, ...]], permissions: Mapping[str, Read[frozenset[str]]]
) -> Iterator[Check]:
    for name, actions in wanted.items():
        allowed = permissions[name]
        for action in actions:
            check = f"{action} {name}"
            if isinstance(allowed, MusterError):
                yield unread(check, allowed)
                continue
            yield judged(
                check,
                f"{name} allows {', '.join(sorted(allowed)) or 'nothing'}",
                f"{_PERMISSION_SETS} > Objects > {name}: tick {action.capitalize()}.",
                holds=action in allowed,
            )


def _fields(
    name: str, fields: Read[Sequence[Field]], to_edit: Sequence[str], to_read: Sequence[str], otherwise: str
) -> Iterator[Check]:
    """Yield a check of each field: first those to edit, then those only read."""
    if isinstance(fields, MusterError):
        yield unread(f"fields of {name}", fields)
        return
    by_name = {each.name: each for each in fields}
    for wanted in to_edit:
        yield _field(name, wanted, by_name.get(wanted), is_edited=True, otherwise=otherwise)
    for wanted in to_read:
        if wanted not in to_edit:
            yield _field(name, wanted, by_name.get(wanted), is_edited=False, otherwise=otherwise)


def _field(object_name: str, name: str, found: Field | None, *, is_edited: bool, otherwise: str) -> Check:
    check = f"field {name}"
    place = f"Admin > Configuration > Objects > {object_name} > Fields > {name}"
    rights = f"{_PERMISSION_SETS} > Objects > {object_name} > Field Permissions > {name}"
    tick = "Edit" if is_edited else "Read"
    if found is None:
        missing = f"{object_name} has no field {name}, or the integration user may not see it"
        remedy = f"{rights}: tick {tick}. If it is not listed there, the feature is not enabled in the vault"
        switch = otherwise if not is_edited or object_name == align_fields.OBJECT else "."
        return Check(check, Result.FAILED, missing, remedy + switch)
    if not found.active:
        return Check(check, Result.FAILED, f"{name} is not active", f"{place} > Status: Active.")
    if not is_edited:
        return Check(check, Result.PASSED, f"{name} is there")
    words = f"{name} may {'be' if found.editable else 'not be'} edited"
    return judged(check, words, f"{rights}: tick Edit.", holds=found.editable)


def _statuses(name: str, wanted: Iterable[str], found: VaultFound, otherwise: str) -> Check:
    """Return the check that a status field's picklist has the values that Muster uses."""
    check = f"values of {name}"
    values = found.picklists.get(name)
    if values is None:
        words = f"{name} names no picklist"
        return Check(check, Result.COULD_NOT_CHECK, words, f"Correct the field {name} first.")
    if isinstance(values, MusterError):
        return unread(check, values)
    known = {value.lower() for value in values}
    missing = [value for value in wanted if value.lower() not in known]
    return judged(
        check,
        f"the picklist lacks {', '.join(missing)}" if missing else "the picklist has every status",
        f"Admin > Configuration > Picklists > {name}: add values of these API names{otherwise}.",
        holds=not missing,
    )


def _password(profile: ConnectionProfile, found: VaultFound) -> Check:
    """Return the check of password expiry: the policy has the lifetime, the secret the last day."""
    by_day = expiry(_EXPIRY, profile, found.access)
    if tuple(profile.needs) == _BY_TOKEN:
        words = f"the login is by an access token; write its last day, if it has one, as {EXPIRES_ON}"
        return by_day or Check(_EXPIRY, Result.PASSED, words)
    by_policy = _password_by_policy(found.policy)
    if by_day is None:
        return by_policy
    if by_policy.result is Result.WARNING and by_day.result is Result.PASSED:
        return replace(by_policy, found=f"{by_policy.found}; {by_day.found}")
    return by_day


def _password_by_policy(policy: Read[SecurityPolicy]) -> Check:
    """Return the check by the security policy, which not every integration user may read."""
    check = _EXPIRY
    if isinstance(policy, MusterError):
        return unread(check, policy)
    days = policy.password_expires_after_days
    place = "Admin > Settings > Security Policies"
    if days is None:
        words = "the security policy does not say when passwords expire"
        return Check(
            check, Result.COULD_NOT_CHECK, words, f"{place}: check that Password Expiration is none."
        )
    if days == 0:
        return Check(check, Result.PASSED, "the password never expires")
    return Check(
        check,
        Result.WARNING,
        f"the password expires {days} days after it was set",
        f"{place}: give the integration user a policy whose Password Expiration is none; or use an access"
        " token in place of the password (docs/operations.md); or write a new"
        " password into the secret before it expires, and its last day as expires_on, to be warned in time.",
    )


def _burst(found: VaultFound) -> Check:
    return calls_left(
        "burst limit",
        found.calls_left,
        _LEAST_CALLS,
        "Find out what calls the vault (Admin > Logs > API Usage Logs). Muster slows down at the last tenth.",
    )
