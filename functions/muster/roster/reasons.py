"""Why a Salesforce user is not, or no longer, an active member: a code, and the text that admins read."""

INACTIVE_USER = "inactive_user"
FROZEN_USER = "frozen_user"
NAME_MISSING = "name_missing"
EMAIL_DOMAIN = "email_domain"
CALL_CENTER_MISSING = "call_center_missing"
UNMATCHED = "unmatched"
NAMESAKE_ACTIVE = "namesake_active"
NAMESAKE_LEFT = "namesake_left"
REPLACED = "replaced"
ERASED = "erased"
END_DATE = "end_date"
SET_INACTIVE = "set_inactive"
TAKEN_BACK = "taken_back"

# What closed a member while Salesforce had nothing against it.
BY_HAND = frozenset({END_DATE, SET_INACTIVE, TAKEN_BACK})

# Whoever is not a member for one of these reasons may be one as soon as it is looked at again.
WAITING_REASONS = frozenset({NAMESAKE_ACTIVE, NAMESAKE_LEFT})

EXPLAINED = {
    INACTIVE_USER: "The user is deactivated in Salesforce, or is not in the org that is connected now.",
    FROZEN_USER: "The user is frozen in Salesforce (settings: auto_provision.frozen_users).",
    NAME_MISSING: "The user has no first or no last name in Salesforce, in the fields that they are read from"
    " (settings: field_maps).",
    EMAIL_DOMAIN: "The e-mail domain is neither a company domain nor an additional one (settings: domains;"
    " field_maps say which field the address is read from).",
    CALL_CENTER_MISSING: "The user is in no call center (settings: require_call_center).",
    UNMATCHED: "No assignment's filter matches the user (settings: assignments).",
    NAMESAKE_ACTIVE: "The user waits: an active member has the same username or e-mail address.",
    NAMESAKE_LEFT: (
        "The member with the same username or e-mail address has left, and Salesforce could not be asked how"
        " the user is now: the next message about the user, or an import, lets it in."
    ),
    REPLACED: "Another Salesforce user with the same username or e-mail address took over the member.",
    ERASED: "The member has left and is erased; nothing is kept of the person.",
    END_DATE: "The member's end date is past (MemberSettingsFunction: end_date).",
    SET_INACTIVE: "The member is set inactive (MemberSettingsFunction: crm_user_status).",
    TAKEN_BACK: "What had closed the member was taken back: the next import evaluates it again.",
}
