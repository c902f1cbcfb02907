"""Muster, the service. Knows nothing of Lambda events; the modules beside this package do.

Use cases (verbs: gather, decide, apply):
    receiving              an outbound message: who sends it, onto the queue, acknowledge
    following              the queued changes: the users read back, the roster brought in line
    running                runs of any kind: begin, go on, approve, reject, fail
    run_ends               how a planned run goes on or stops: preview, guard, approval, end
    importing              imports: start, and try other settings
    import_steps           the work of an import: gather, decide, apply, tell managers, end
    vault_importing        the Vault CRM part of an import: read, and planned after Salesforce's
    pushing                pushes to Vault CRM: start
    push_steps             the work of a push: gather who is due, decide, send, read what comes of it
    aligning               the Align part of a push: what is asked for there, and what came of it
    push_ports             what pushes need of the world outside
    watching               how a connection does: one that keeps failing is tried less often
    telling                a run told to alarms and the dashboard, once its outcome is certain
    recording              changes of members known by id, written until they hold
    import_ports           what imports need of the world outside
    gathering              everyone, what changed, or named users, page by page into the run archive
    selecting              whom a full import decides about, of everyone who was read
    vault_gathering        likewise for Vault CRM: its users, everyone, what changed, or named ones
    reading                users read by id, with the filters that match them
    finding_users          from what people call someone to Salesforce ids
    planning               from what was gathered to a plan, in the order of applying
    applying               a plan, item by item, each decided again on what is stored by then
    settling               changes into the roster until they hold, and free seats to who waits
    run_clock              how much of the invocation is left, and the lease kept alive
    notifying              managers told about the new members of their teams
    editing                members edited by hand
    assigning              Engage groups asked for by hand
    changing_members       what both share: members found, changes judged, written, told about
    configuring            an organization's settings and webhook token
    checking               preflight: what of a connection is not as it has to be, and what to do
    setting_up_webhook     the sender in Salesforce: installed, refreshed, its token rotated, removed
    webhook_deploying      one set-up at a time, and its deployment waited for
    webhook_ports          what setting up the webhook needs of the world outside
    describing             what of a connection can be mapped, from its own metadata
    saving_settings        one save of settings: tried, written with what follows from it, approved
    previewing_settings    a change of settings tried on the whole roster before it is saved
    querying               who is in the roster, who waits, what changed, what went wrong
    querying_runs          which runs there were, how one stands, what its plan does
    querying_explanations  why someone is in the roster or not, looked up in Salesforce if need be

Rules (pure):
    lifecycle              what becomes of a member when its Salesforce user changes
    eligibility            who belongs in the roster, by which assignment, and if not, why
    assignments            which assignment decides, and what it gives
    credentials            how many days are left until a connection's credentials end
    entitlements           what a member gets, by update mode; what is intended and what has effect
    licence_lines          who of those who wait for a licence may get one, and who does
    groups                 Engage groups: what is asked for, what is to be sent, who waits for a licence
    seats                  who holds a seat, who waits in line, what a change moves
    hierarchy              who reports to whom: loops, and how deep someone is
    member_edits           what may be edited by hand, by whom, and what comes of it
    group_requests         what may be asked about Engage groups by hand, and what comes of it
    manager_mails          which manager gets a mail, and what it says
    vault_lifecycle        what becomes of a member when its user in Vault CRM is read
    vault_users            rows of Vault CRM's users as values, and their digest
    vql                    queries of a vault from quoted parts
    source_versions        which of two states of a user is newer
    user_changes           a notification read with the settings' list of fields; the newest per user
    user_rows              a query's row in the form of a message, and its digest
    field_maps             Salesforce fields to member attributes
    vault_fields           which fields of a Vault CRM user are read, and which are written
    plans                  what a run is going to do: items, counts, hash
    pushes                 what a push is going to do: steps, items, what becomes of a member
    quarantine             when a connection is tried less often, and when it is told
    align_desk             what Align's records ask of members, and what Align is told of them
    push_log               what of a push an admin has to look at
    preflight_checks       what every connection is checked for: secret, host, login, place, limits
    preflight_salesforce   what the Salesforce integration user needs
    preflight_vaults       what the integration users of Vault CRM and Align need
    guard                  when a plan waits for approval
    gauges                 what alarms and dashboard are told: silence, seats, credentials, outcomes
    explaining             why someone is in or not, and where each value comes from, in words
    explaining_runs        how a run stands, and what to do about it, in words
    explaining_seats       who holds, who waits, why someone has none, in words
    settings/              the settings document: its keys, values, cross-checks, versions, JSON Schema
    soql                   queries of User from checked and quoted parts
    soql_filters           whether an admin's filter is one condition and no more
    tokens                 webhook tokens: issue, hash, compare, rotate
    webhook_metadata       what Muster puts into Salesforce: an outbound message and a flow, as a package
    webhook_chain          each link from a change in Salesforce to Muster, and whether it holds
    validation             how a validation fault becomes a problem with a place and a remedy

Values:
    model                  Member, Link, UserChange, HistoryEntry, LogEntry
    decisions              what deciding is given, and what it answers
    runs                   Run, Lease, ImportState: what is recorded of imports
    crm_pages              pages of a query's answer, checked before anyone believes them
    vault_pages            pages of a vault's answer, checked and added up
    vault_values           what became of records written to a vault; its fields and users
    metadata_values        outbound message, flow, deployment and user, as a Salesforce org shows them
    webhook_setups         what is recorded of the set-up of a webhook
    messages               outbound messages and queue messages
    reasons                why someone is not an active member: codes and words
    salesforce_ids         15 and 18 characters
    errors                 the error tree

Edges:
    adapters/              one module per outside system, and the table by what is kept in it
    admin_requests         the JSON that admin functions take and answer
    run_requests           what of it imports and pushes share: a run to begin, or a word on one
    bootstrap              the only builder of clients
    environment            the only reader of os.environ
    observability          the logger and the metrics
"""
