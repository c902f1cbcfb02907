"""List the fields of a connection that can be mapped, from the connection's own metadata (G5)."""

from collections.abc import Callable
from dataclasses import dataclass

from muster.connections.ports import VaultMetadata
from muster.crm import align_fields, vault_fields
from muster.errors import Misconfigured, NotFound, Problem, Rejected
from muster.organization_settings import mappable_fields
from muster.organization_settings.mappable_fields import Mappable
from muster.organization_settings.ports import Salesforce, SettingsStore
from muster.organization_settings.saving import Answer, shown
from muster.settings import Settings
from muster.settings.sections import AlignConnection, SalesforceConnection, VaultCrmConnection


@dataclass(frozen=True, slots=True)
class ListingMappableFields:
    """Asks connections for their fields; `salesforce`, `vault_crm` and `align` open them."""

    store: SettingsStore
    salesforce: Callable[[SalesforceConnection], Salesforce]
    vault_crm: Callable[[VaultCrmConnection], VaultMetadata]
    align: Callable[[AlignConnection], VaultMetadata]

    def describe(self, organization: str, connection: str) -> Answer:
        """Return the fields of a connection's users with their mappings, all mappings, and warnings.

        `connection` is `salesforce`, `vault_crm` or `align`. Raises `NotFound` without settings, `Rejected`
        without that connection or where it is misconfigured, `Unavailable` while it does not answer.
        """
        stored = self.store.current(organization)
        if stored is None:
            remedy = "Save some with the action put."
            raise NotFound(Problem("organization", f"{organization} has no settings yet", remedy))
        try:
            found = self._mappable(stored.settings, connection)
        except Misconfigured as error:
            remedy = "Correct that, then run the action again."
            problem = Problem(f"connections.{connection}", f"could not be asked: {error}", remedy)
            raise Rejected(problem) from error
        return {
            "message": f"{len(found.fields)} fields of {found.object} can be mapped.",
            "version": stored.version,
            "connection": connection,
            "object": found.object,
            "fields": list(found.fields),
            "mappings": dict(found.mappings),
            "warnings": shown(list(found.warnings)),
        }

    def _mappable(self, settings: Settings, connection: str) -> Mappable:
        connections = settings.connections
        if connection == "salesforce" and connections.salesforce:
            described = self.salesforce(connections.salesforce).describe(mappable_fields.USER)
            return mappable_fields.of_salesforce(settings, described["fields"])
        if connection == "vault_crm" and connections.vault_crm:
            users = self.vault_crm(connections.vault_crm).fields(vault_fields.OBJECT)
            return mappable_fields.of_vault_crm(settings, users)
        if connection == "align" and connections.align:
            roster = self.align(connections.align).fields(align_fields.OBJECT)
            return mappable_fields.of_align(settings, roster)
        remedy = "Add it, with its host, and put the settings."
        raise Rejected(Problem(f"connections.{connection}", "is not in the settings", remedy))
