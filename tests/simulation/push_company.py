"""Moved; here until those who import it from here have followed, for a world is all that it takes now."""

from tests.simulation.imports.company import Company
from tests.simulation.pushes import company


def PushCompany(acme: Company) -> company.PushCompany:
    """Return the company with a Vault CRM."""
    return company.PushCompany(acme.world)
