"""The quirks of real targets together, as far as their documentation and reports about them say.

A profile is what the target documents, not a copy of it: what is not named here is as the RFC has it.
"""

PROFILES: dict[str, dict[str, object]] = {
    # As its custom source lists calls and its app for Entra maps fields: no deletion, names alone filter.
    "gong": {
        "filterable": ("userName", "displayName"),
        "refuses": ("DELETE /Users",),
        "requires": ("name.givenName", "name.familyName", "emails"),
        "unique_emails": True,
    },
    # Fifty rows that look like all there are; single values; a hundred members a call, and no replacing.
    "aws_identity_center": {
        "page_size": 50,
        "start_index": "ignored",
        "total": "page",
        "filterable": ("userName", "externalId", "displayName", "id", "manager"),
        "requires": ("name.givenName", "name.familyName", "displayName", "emails"),
        "single_values": True,
        "refuses_empty_lists": True,
        "members_per_call": 100,
        "refuses_member_replace": True,
        "patch_paths": "one_attribute",
        "refuses": ("POST /Bulk",),
    },
    # DELETE closes an account, pages of ten unless asked, limits shared by all clients.
    "slack": {
        "delete": "deactivates",
        "default_page_size": 10,
        "page_size": 1000,
        "rate": {"calls": 180, "per_s": 60},
        "unique_emails": True,
    },
    # Who is closed answers 404, loses the groups and comes back as somebody new; the address cannot change.
    "atlassian": {"inactive": "gone", "immutable": ("emails",), "unique_emails": True},
    # Who is closed takes nothing but `active`; DELETE closes; the owner stays.
    "launchdarkly": {"inactive": "locked", "delete": "deactivates"},
    "github": {"needs_user_agent": True},
    "pagerduty": {"inactive": "deleted"},
    "hcp_terraform": {
        "filterable": ("userName", "externalId"),
        "immutable": ("externalId",),
        "default_page_size": 100,
        "page_size": 200,
    },
    # Groups are read and filled, no more; DELETE closes; a profile comes as an entitlement.
    "salesforce": {
        "refuses": ("POST /Groups", "DELETE /Groups"),
        "delete": "deactivates",
        "requires": ("entitlements",),
        "filters": "no_precedence",
        "discovery": "old_names",
    },
    "zoom": {"put_left_out": "kept", "pending_s": 3600.0, "accept": "scim_only"},
    "linkedin_sales_navigator": {"lists": "refused"},
    "canva": {"refuses": ("DELETE /Users",)},
    "entra": {
        "refuses": ("PUT",),
        "unknown_id_status": 400,
        "lower_case_resources": True,
        "accept": "none_on_delete",
    },
    "fortiauthenticator": {"answer_type": "text/html", "errors": "no_status", "no_location": True},
    "bitwarden": {"members_in_post_and_put": "okta_only", "inactive_use_seats": True},
    "logfire": {
        "refuses": ("PUT", "POST /Groups", "DELETE"),
        "filters": "exact_spacing",
        "discovery": "missing",
    },
    # Another server: case counts in filters, members come twice, and there are twenty rows whatever is
    # asked (with Express 5; with Express 4, only beyond the end is not as asked). Attributes that it does
    # not know it drops without a word: `unsupported` can say which.
    "scimmy": {
        "patch_answer": "body_unless_unchanged",
        "text_booleans": "refused",
        "case_sensitive_filters": True,
        "page_size": 20,
        "count": "ignored",
        "start_index": "ignored",
        "items_per_page": "wrong",
        "ignores_if_match": True,
        "unique_group_names": True,
        "added_again": "doubled",
        "remove_value_list": "removes",
        "urn_filters": "find_nothing",
        "refuses_escaped_quotes": True,
        "no_location": True,
    },
}
