"""Muster, the service. Knows nothing of Lambda events; the modules beside this package do.

Use cases (verbs: gather, decide, apply):
    receiving              an outbound message: who sends it, onto the queue, acknowledge
    following              the queued changes: the users read back, the roster brought in line
    importing              runs of an import: start, go on, preview, approve, reject
    import_steps           the work of a run: gather, decide, apply, tell managers, end
    import_ports           what imports need of the world outside
    gathering              everyone, what changed, or named users, page by page into the run archive
    reading                users read by id, with the filters that match them
    finding_users          from what people call someone to Salesforce ids
    planning               from what was gathered to a plan, in the order of applying
    applying               a plan, item by item, each decided again on what is stored by then
    settling               changes into the roster until they hold, and free seats to who waits
    run_clock              how much of the invocation is left, and the lease kept alive
    notifying              managers told about the new members of their teams
    editing                members edited by hand
    configuring            an organization's settings and webhook token
    saving_settings        one save of settings: tried, written with what follows from it, approved
    previewing_settings    a change of settings tried on the whole roster before it is saved
    querying               who is in the roster, who waits, what changed, what went wrong
    querying_runs          which runs there were, how one stands, what its plan does
    querying_explanations  why someone is in the roster or not, looked up in Salesforce if need be

Rules (pure):
    lifecycle              what becomes of a member when its Salesforce user changes
    eligibility            who belongs in the roster, by which assignment, and if not, why
    assignments            which assignment decides, and what it gives
    entitlements           what a member gets, by update mode; what is intended and what has effect
    seats                  who holds a seat, who waits in line, what a change moves
    hierarchy              who reports to whom: loops, and how deep someone is
    member_edits           what may be edited by hand, by whom, and what comes of it
    manager_mails          which manager gets a mail, and what it says
    source_versions        which of two states of a user is newer
    user_changes           a notification read with the settings' list of fields; the newest per user
    user_rows              a query's row in the form of a message, and its digest
    field_maps             Salesforce fields to member attributes
    plans                  what a run is going to do: items, counts, hash
    guard                  when a plan waits for approval
    explaining             why someone is in or not, and where each value comes from, in words
    explaining_runs        how a run stands, and what to do about it, in words
    explaining_seats       who holds, who waits, why someone has none, in words
    settings/              the settings document: its keys, values, cross-checks, versions, JSON Schema
    soql                   queries of User from checked and quoted parts
    soql_filters           whether an admin's filter is one condition and no more
    tokens                 webhook tokens: issue, hash, compare, rotate
    validation             how a validation fault becomes a problem with a place and a remedy

Values:
    model                  Member, Link, UserChange, HistoryEntry, LogEntry
    decisions              what deciding is given, and what it answers
    runs                   Run, Lease, ImportState: what is recorded of imports
    crm_pages              pages of a query's answer, checked before anyone believes them
    messages               outbound messages and queue messages
    reasons                why someone is not an active member: codes and words
    salesforce_ids         15 and 18 characters
    errors                 the error tree

Edges:
    adapters/              one module per outside system, and the table by what is kept in it
    admin_requests         the JSON that admin functions take and answer
    bootstrap              the only builder of clients
    environment            the only reader of os.environ
    observability          the logger and the metrics
"""
