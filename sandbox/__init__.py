"""Local stand-ins for the systems that Muster talks to, speaking the real protocols over HTTP.

serving      serves a WSGI application on a loopback port and stops it cleanly
faults       the switch that makes a sandbox misbehave on demand, and the counter of calls it received
company      a company of a few hundred people, the same every time
tables       what the demo and its commands print
salesforce/  a Salesforce organization: `python -m sandbox.salesforce`
vault_crm/   a Vault CRM with its Engage server: `python -m sandbox.vault_crm`
scim/        an app with SCIM that can be told to get it wrong: `python -m sandbox.scim`
local_stack/ Muster itself on this machine, beside the sandboxes
demo/        `make demo`

The local stack, the demo and the tests use them. The deployed functions never import them, and they import
nothing of the functions, so that neither side can paper over the other's misreading of a protocol.
"""
