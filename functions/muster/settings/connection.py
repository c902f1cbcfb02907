"""What connections to outside systems have in common in the settings."""

from typing import Any

from pydantic import Field, PrivateAttr

from muster.settings.values import Section


def secret_of(connection: str) -> Any:
    """Return the key with the name of a connection's secret."""
    return Field(
        default=None,
        description=(
            "Name of the secret in Secrets Manager that holds the credentials; it begins with"
            f" muster/<organization>/. Default: muster/<organization>/{connection}."
        ),
    )


class Connection(Section):
    """What connections have in common: the organization whose they are, which no document writes in them."""

    _organization: str = PrivateAttr("")

    @property
    def organization(self) -> str:
        """The organization of the settings; empty outside of settings."""
        return self._organization

    def belong_to(self, organization: str) -> None:
        """Note whose connection this is; `Settings` does."""
        self._organization = organization
