"""An organization's settings document (S1).

sections, assignments, field_maps   every key and its default, as pydantic models
vault_field_maps, engage_statuses   the same for Vault CRM: field mappings and status names
align_field_maps                    fields of Align's roster that members show beside their own
align_names                         how an Align vault names its fields and statuses
connection                          what connections have in common
target_connection                   what apps in which members have accounts have in common
scim_connection, scim_profiles      an app that is provisioned by SCIM, and what is known of such apps
user_pool_connection                a Cognito user pool, in which sessions are ended
target_consistency                  errors and warnings about apps with accounts and the rest
values                              the kinds of value: what each accepts, and what to write instead
strict_yaml                         YAML or JSON text, parsed strictly
document                            text or object → validated `Settings`
secret_names                        whose secret a name in Secrets Manager is
locations                           where in a document seats and fields are named
consistency                         errors between sections, such as an assignment with an unknown seat
warnings                            what is valid but does not do what it seems to
assignment_order                    which assignment decides: the uppermost that matches (A1)
mappings                            which fields are read and written in Salesforce and Vault CRM
digests                             digests of the settings that decide about members
unseen_changes                      warnings of what only a full import sees
map_keys                            map keys that their field can never hold, by its description (A15)
trial_queries                       whether Salesforce accepts the filters and fields
versions                            stored versions, and the differences between two
schema                              the JSON Schema that editors use
"""

from muster.settings.sections import Domains, Settings

__all__ = ["Domains", "Settings"]
