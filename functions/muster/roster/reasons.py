"""Why a Salesforce user is not, or no longer, an active member: a code, and the text that admins read."""

INACTIVE_USER = "inactive_user"
FROZEN_USER = "frozen_user"
NAME_MISSING = "name_missing"
EMAIL_DOMAIN = "email_domain"
CALL_CENTER_MISSING = "call_center_missing"
UNMATCHED = "unmatched"
NAMESAKE_ACTIVE = "namesake_active"
REPLACED = "replaced"
END_DATE = "end_date"
SET_INACTIVE = "set_inactive"
TAKEN_BACK = "taken_back"

# What closed a member while Salesforce had nothing against it.
BY_HAND = frozenset({END_DATE, SET_INACTIVE, TAKEN_BACK})

EXPLAINED = {
    INACTIVE_USER: "The user is deactivated in Salesforce.",
    FROZEN_USER: "The user is frozen in Salesforce (settings: auto_provision.frozen_users).",
    NAME_MISSING: "The user has no first or no last name in Salesforce.",
    EMAIL_DOMAIN: "The e-mail domain is neither a company domain nor an additional one (settings: domains).",
    CALL_CENTER_MISSING: "The user is in no call center (settings: require_call_center).",
    UNMATCHED: "No assignment's filter matches the user (settings: assignments).",
    NAMESAKE_ACTIVE: "The user waits: an active member has the same username or e-mail address.",
    REPLACED: "Another Salesforce user with the same username or e-mail address took over the member.",
    END_DATE: "The member's end date is past (MemberSettingsFunction: end_date).",
    SET_INACTIVE: "The member is set inactive (MemberSettingsFunction: crm_user_status).",
    TAKEN_BACK: "What had closed the member was taken back: the next import evaluates it again.",
}
