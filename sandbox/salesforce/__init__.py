"""A Salesforce organization on this machine, faithful to the protocols as far as provisioning needs them.

app                one WSGI application of it all, and `running`, which serves it
__main__           the command: python -m sandbox.salesforce
organization       the organization: everything below, wired together
oauth              the token endpoint and the sessions
jwt_bearer         the check of a signed assertion, in place of a secret
rest               the REST API: versions, limits, describe, records, queries
composite          several calls in one: composite and composite/batch
composite_bodies       what their bodies may look like
composite_references   @{…}, the use of an earlier answer
sobject_collections    up to 200 records in one call
api_limit          the daily limit on API calls
query_faults       a source that misbehaves: query answers with something wrong in them
control            what an admin would do in Setup, under /sandbox/
users              the rules for creating, changing and reading records
query              running SOQL, page by page
soql/              the language: tokens, grammar, date literals, translation to SQLite
schema             what an object and a field are
standard_objects   User, Profile, UserLicense, UserRole and CallCenter
access_objects     UserLogin, PermissionSet and its assignments, Group and its members
access             freezing users, giving them permission sets, putting them into groups
setup_records      the profiles, licences, roles and call centers that are there from the start
describe           the describe answer
metadata_rest      deployments and the Tooling API, under /services/data
metadata_deploys       the queue of deployments: states, cancellation, results
metadata_deploying     carrying one out, component by component
metadata_package       its zip: package.xml, components, deletions
metadata_xml           a component's file, read into the JSON of the Tooling API
metadata_outbound_messages   WorkflowOutboundMessage: its rules and rows
metadata_flows         Flow and FlowDefinition: their rules, versions, and when they run
metadata_formula       the entry condition of a flow
metadata_objects       the Tooling API's objects, and the view of flows in SOQL
metadata_settings      production or not, and how deployments go
values             field values as sent, stored, answered and put into SOAP
outbound_messages  the installed outbound messages and the queue of notifications
delivery           the thread that sends them
soap               the envelope and the acknowledgement
ids                record ids
store              the SQLite database
errors             the error that the REST API answers
"""

from sandbox.salesforce.app import RunningSandbox, running
from sandbox.salesforce.delivery import DeliverySettings

__all__ = ["DeliverySettings", "RunningSandbox", "running"]
