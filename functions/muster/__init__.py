"""Muster, the service. Knows nothing of Lambda events; the modules beside this package do.

Use cases (verbs: gather, decide, apply):
    receiving         an outbound message: who sends it, onto the queue, acknowledge
    following         the queued changes: bring the roster in line with Salesforce
    configuring       an organization's settings and webhook token
    querying          who is in the roster, what changed, what went wrong

Rules (pure):
    lifecycle         what becomes of a member when its Salesforce user changes
    eligibility       who belongs in the roster, and if not, why
    source_versions   which of two states of a user is newer
    user_changes      a notification read with the settings' list of fields; the newest per user
    field_maps        Salesforce fields to member attributes
    tokens            webhook tokens: issue, hash, compare, rotate
    settings/         the settings document: its keys, values, cross-checks, versions, JSON Schema
    soql_filters      whether an admin's filter is one condition and no more
    validation        how a validation fault becomes a problem with a place and a remedy

Values:
    model             Member, Link, UserChange, HistoryEntry, LogEntry
    decisions         what deciding is given, and what it answers
    messages          outbound messages and queue messages
    reasons           why someone is not an active member: codes and words
    salesforce_ids    15 and 18 characters
    errors            the error tree

Edges:
    adapters/         one module per outside system
    admin_requests    the JSON that admin functions take and answer
    bootstrap         the only builder of clients
    environment       the only reader of os.environ
    observability     the logger and the metrics
"""
