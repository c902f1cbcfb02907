"""Whose a secret is: `muster/<organization>/…` is that organization's, any other name nobody's (U5)."""


def secrets_of(organization: str) -> str:
    """Return how the names of an organization's secrets begin."""
    return f"muster/{organization}/"


def is_secret_of(organization: str, name: str) -> bool:
    """Tell whether a secret is one of an organization's own."""
    begin = secrets_of(organization)
    return bool(organization) and name.startswith(begin) and len(name) > len(begin)
