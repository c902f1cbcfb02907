"""Muster on this machine: the real template, deployed by SAM to an AWS emulator, beside the sandboxes.

stack       a running stack: what stack.json says, and the ways in
launching   the steps that start one, and end it; `running()` for tests
processes   starts, recognises and ends the processes behind it
building    `sam build` for this machine, when the sources changed
deploying   `sam deploy` to the emulator, and what came of it
salesforce_admin  changes users, and switches flows on and off, as an admin of Salesforce does
vault_admin  makes users in Vault CRM and groups on its Engage server, as their admins do
app_admin   makes and looks at accounts in the app with SCIM, as its admin does
user_pool   a user pool of Cognito, and people who sign in there
enrolling   makes the organization `acme`, with its secrets, and has Muster install its webhook in Salesforce
filling     brings people of a company, and settings that connect the app
emulator    MiniStack as a program of its own, put right where it differs from AWS
waiting     waits for a condition, with a deadline

`python -m sandbox.local_stack up | people | status | down`; the environment variables STACK and MUSTER_PORT
name another stack and the emulator's port.
"""
