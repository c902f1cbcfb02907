"""What kind of organization it is, and how its queue of deployments behaves: told under `/sandbox/`."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class OrganizationSettings:
    """The kind of organization, and the switches of Setup that decide what a deployment may do."""

    production: bool = False  # else a sandbox or a developer organization
    deploy_flows_as_active: bool = False  # Process Automation Settings; matters in production only
    activate_flows_by_api: bool = False  # whether the API may activate in production without the former
    modify_metadata: bool = True  # whether the integration user may use the Metadata API
    manage_users: bool = True  # whether the integration user may see UserLogin: who is frozen

    @property
    def lands_flows_active(self) -> bool:
        """Whether a flow that is deployed as active becomes active."""
        return not self.production or self.deploy_flows_as_active

    @property
    def may_activate_flows(self) -> bool:
        """Whether an API call may activate a flow version."""
        return self.lands_flows_active or self.activate_flows_by_api


@dataclass(frozen=True)
class DeploySettings:
    """How long deployments wait and run, and how they fail. They hold for those that are queued already."""

    pending_polls: int = 0  # this many status checks find it Pending
    in_progress_polls: int = 0  # and then this many find it InProgress
    pending_s: float = 0.0
    in_progress_s: float = 0.0
    problem: str = ""  # every component fails with this problem
    error_message: str = ""  # the deployment fails as a whole
    text_values: bool = False  # results say "true" and "3", as the documentation's samples do


def changed[Settings: (OrganizationSettings, DeploySettings)](settings: Settings, body: object) -> Settings:
    """Return the settings with some replaced. Raises ValueError, saying what is allowed."""
    names = [each.name for each in fields(settings)]
    if not isinstance(body, dict) or not set(body) <= set(names):
        raise ValueError(f"the body is an object with some of {', '.join(names)}")
    for name, value in body.items():
        match getattr(settings, name):
            case bool():
                fits, kind = isinstance(value, bool), "true or false"
            case str():
                fits, kind = isinstance(value, str), "a text, empty for none"
            case int():
                fits, kind = type(value) is int and value >= 0, "a whole number of at least 0"
            case _:
                fits, kind = type(value) in {int, float} and value >= 0, "a number of at least 0"
        if not fits:
            raise ValueError(f"{name} is {kind}")
    return replace(settings, **body)


def settings_as_json(settings: OrganizationSettings | DeploySettings) -> dict[str, Any]:
    """Return the settings as the control API shows them."""
    return asdict(settings)
