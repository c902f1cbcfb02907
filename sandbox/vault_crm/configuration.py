"""What an admin sets under /sandbox/; the defaults are those of a correctly configured vault."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sandbox.vault_crm.standard_objects import standard_picklists
from sandbox.vault_crm.store import Store


@dataclass(frozen=True)
class Settle:
    """How long the Engage server takes over a request, in seconds."""

    delay_s: float = 0.2


@dataclass(frozen=True)
class Licenses:
    """Whether the groups of a feature share the sum of their licences, instead of having each its own."""

    per_feature: bool = False


@dataclass(frozen=True)
class Paging:
    """The largest page, and whether every page comes with half the rows it could have."""

    max_rows: int = 1000
    shrink: bool = False


@dataclass(frozen=True)
class Burst:
    """The calls that fit into a window; beyond it answers come `delay_s` later. Logins are counted apart."""

    limit: int = 2000
    window_s: float = 300.0
    delay_s: float = 0.5
    login_limit: int = 100
    login_window_s: float = 60.0


@dataclass(frozen=True)
class Login:
    """What the next login meets."""

    wrong_vault: bool = False
    locked: bool = False
    password_change_required: bool = False


@dataclass(frozen=True)
class Permissions:
    """What the integration user may do. What is not named is allowed.

    `objects`: object → read, create, edit → bool. `fields`: object → field → whether it may be edited.
    `password_expires_days` 0 stands for never.
    """

    objects: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    api_access: bool = True
    password_expires_days: int = 0

    def allows(self, object_name: str, action: str) -> bool:
        """Whether the user may read, create or edit records of an object."""
        return self.objects.get(object_name, {}).get(action, True)

    def may_edit(self, object_name: str, field_name: str) -> bool:
        """Whether the user may set a field, as far as permissions go."""
        return self.allows(object_name, "edit") and self.fields.get(object_name, {}).get(field_name, True)


@dataclass(frozen=True)
class BaseLicenses:
    """How many users the vault's own licences allow to be active, whatever Engage has."""

    full_users: int = 100_000


type Section = Settle | Licenses | Paging | Burst | Login | Permissions | BaseLicenses
type Picklists = dict[str, dict[str, str]]


class Configuration:
    """The sections, each kept in the database so that a restart on the file goes on with them."""

    settle: Settle
    licenses: Licenses
    paging: Paging
    burst: Burst
    login: Login
    permissions: Permissions
    base_licenses: BaseLicenses
    picklists: Picklists

    def __init__(self, store: Store) -> None:
        """Take what the database holds, else the defaults."""
        self._store = store
        for name, default in _DEFAULTS.items():
            kept = json.loads(store.setting(f"configuration.{name}", None, "{}"))
            setattr(self, name, replace(default, **kept))
        self.picklists = standard_picklists() | json.loads(store.setting("picklists", None, "{}"))

    def change(self, name: str, body: object) -> dict[str, Any]:
        """Change some of a section's values and return all of them. Raises ValueError."""
        section = _changed(getattr(self, name), body)
        self._keep(name, section)
        return asdict(section)

    def put_picklist(self, name: str, values: object) -> dict[str, str]:
        """Replace a picklist's values, a list of names. Raises ValueError."""
        if not isinstance(values, list) or not all(isinstance(each, str) and each for each in values):
            raise ValueError("values is a list of names, as in active__v")
        known = standard_picklists().get(name, {})
        names: list[str] = values
        self.picklists = self.picklists | {name: {each: known.get(each, each) for each in names}}
        self._store.setting("picklists", json.dumps(self.picklists), "{}")
        return self.picklists[name]

    def reset(self) -> None:
        """Go back to the defaults."""
        for name, default in _DEFAULTS.items():
            self._keep(name, default)
        self.picklists = standard_picklists()
        self._store.setting("picklists", "{}", "{}")

    def _keep(self, name: str, section: Section) -> None:
        setattr(self, name, section)
        self._store.setting(f"configuration.{name}", json.dumps(asdict(section)), "{}")


_DEFAULTS: dict[str, Section] = {
    "settle": Settle(),
    "licenses": Licenses(),
    "paging": Paging(),
    "burst": Burst(),
    "login": Login(),
    "permissions": Permissions(),
    "base_licenses": BaseLicenses(),
}


def _changed[T: Section](section: T, body: object) -> T:
    defaults = asdict(type(section)())
    if not isinstance(body, dict) or not set(body) <= set(defaults):
        raise ValueError(f"the body is an object with some of {', '.join(defaults)}")
    for name, value in body.items():
        _check(name, value, defaults[name])
    return replace(section, **body)


def _check(name: str, value: object, example: object) -> None:
    if isinstance(example, bool):
        if not isinstance(value, bool):
            raise ValueError(f"{name} is true or false")
    elif isinstance(example, Mapping):
        if not isinstance(value, dict) or not all(_are_switches(each) for each in value.values()):
            raise ValueError(f'{name} is an object like {{"user__sys": {{"edit": false}}}}')
    else:
        number = int if isinstance(example, int) else (int, float)
        least = 1 if number is int and name != "password_expires_days" else 0
        if isinstance(value, bool) or not isinstance(value, number) or value < least:
            raise ValueError(f"{name} is a {'whole ' * (number is int)}number of at least {least}")


def _are_switches(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(each, bool) for each in value.values())
