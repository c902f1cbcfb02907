"""An app with SCIM 2.0 on this machine, which can be told to get the protocol wrong as real apps do.

scim2-server speaks the protocol. In front of it every call, and behind it every answer, passes the quirks.

app            one WSGI application of it all, and `running`, which serves it
__main__       the command: python -m sandbox.scim
scim_app       the app: everything below, wired together; the token and the way of a call
quirks         the switches, one for each trap
profiles       the quirks of real targets, together
protocol       a call, an answer, an error
wire           between HTTP and these
call_quirks    where a call is sent, how, and how often
user_quirks    creating, replacing, deleting users, and those who left
patch_quirks   the dialects of PATCH
group_quirks   members
list_quirks    paging, counts, filters
state_quirks   what the app thinks of a new state: names, required attributes, seats, members
visibility     what lists do not show
answer_quirks  what an answer looks like
server         scim2-server: schemas, resource types, errors
directory      users and groups: memory, and the past
store          the SQLite file
scim_faults    an app that misbehaves for so many calls
control        what an admin would do, under /sandbox/
page           who is in the app, as HTML
"""

from sandbox.scim.app import RunningSandbox, running

__all__ = ["RunningSandbox", "running"]
