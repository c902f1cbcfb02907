"""An organization's settings document (S1).

sections, assignments, field_maps   every key and its default, as models
vault_field_maps, engage_statuses   likewise: what is read and written in Vault CRM, and its status names
values                              the kinds of value: what each accepts, and what to write instead
text                                YAML or JSON text, read strictly
document                            text or object → checked `Settings`
places                              where in a document seats and fields are named
rules                               what one part says about another, and must be put right
warnings                            what does not act as it reads
assignment_order                    which assignment decides: the uppermost that matches (A1)
mappings                            which fields are read and written in Salesforce and Vault CRM
digests                             digests of the settings that decide about members
trial_queries                       whether Salesforce takes the filters and fields
versions                            what is stored, and what differs between two versions
schema                              the JSON Schema that editors use
"""

from muster.settings.sections import Domains, Settings

__all__ = ["Domains", "Settings"]
