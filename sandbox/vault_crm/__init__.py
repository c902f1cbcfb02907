"""A Vault CRM on this machine with its Engage server, or an Align vault, as far as Muster needs them.

app               one WSGI application of it all, and `running`, which serves it
__main__          the command: python -m sandbox.vault_crm
vault             the vault: everything below, wired together
api               the REST API: sessions, queries, records, metadata
users_api         the user who is logged in, licences, picklists, security policies
admission         what happens around every call: versions, sessions, headers
login             the login with username and password
sessions          the sessions that it opens
burst             the burst limit and the limit on logins
records           the rules for creating and changing records
query             running VQL, page by page
vql/              the language: tokens, grammar, translation to SQLite
engage            the Engage server: groups, licences, requests and their outcomes
vault_faults      a vault that misbehaves
control           what an admin would do, under /sandbox/
configuration     what is set there
schema            what an object and a field are
standard_objects  the objects, and the values of their picklists
setup_records     the records that are there from the start
metadata          what the API says about objects and fields
values            field values as sent, stored and answered
store             the SQLite database
errors            what the API answers when it refuses
"""

from sandbox.vault_crm.app import RunningSandbox, running

__all__ = ["RunningSandbox", "running"]
