"""Muster, the service. Knows nothing of Lambda events; the modules beside this package do.

A house of rooms, one per capability, bottom up: a file imports its own room and those above it in this list.

errors, validation, references, times, lease, error_log, checks   what every room speaks of
presentation/            answers in words, as short lines and as tables
crm/                     how Salesforce, Vault and SCIM targets name, query and page things
settings/                an organization's settings document, and what follows from it alone
sources/                 gather: users as a CRM shows them, whole or refused
roster/                  decide and write: who is a member, and what each member has
runs/                    runs of any kind: lease, guard, park, resume, end
pushes/                  what has changed sent to one system, whichever it is
engage/                  Engage licences in Vault CRM, and Align: what is pending sent, what came of it read
provisioning/            members' accounts in apps made, changed and closed
imports/                 the roster brought in line with Salesforce and Vault CRM, and Align with it
webhook/                 an outbound message received, queued and followed
connections/             preflight and health
insight/                 questions about the roster and its runs
events_out/              changes of members told outward, as events on a bus
webhook_setup/           the sender in Salesforce, installed and kept
edits/                   members changed by hand
organization_settings/   settings read, tried and saved
undo/                    what a run changed put back, through the rules in force
replays/                 a run's plan made again from its archive
reporting/               runs as metrics for alarms and the dashboard; the morning digest
adapters/                the outside systems: AWS, Salesforce, Vault
admin_requests, roster_questions, bootstrap, environment, observability   the edges, for the handlers alone

In a room, nouns are pure rules and values; `-ing` modules and `steps` are use cases, and say in `ports` what
they need of the world outside. `bootstrap` alone builds the adapters that give it to them.
"""

# As in pyproject.toml, the template's output and the changelog.
__version__ = "0.2.0"
