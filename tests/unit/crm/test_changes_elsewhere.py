import pytest

from muster.crm import changes_elsewhere


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("Department = 'Sales' AND (Title = 'TODAY' OR Country IN ('Profile.Name'))", {}),
        ("ProfileId = '00e000000000003AAA' AND User.Country = 'GB'", {}),
        ("CreatedDate > 2026-11-20T08:15:31Z AND Birthday__c = 2026-11-20", {}),
        ("CALENDAR_YEAR(CreatedDate) = 2026 AND Today__c = true AND This_Week__c = 'x'", {}),
        ("Profile.Name = 'Sales'", {"Profile.Name": "a profile renamed or changed"}),
        (
            "User.Profile.UserLicense.Name = 'Salesforce'",
            {"User.Profile.UserLicense.Name": "a profile renamed or changed"},
        ),
        ("NOT (userrole.name LIKE 'EMEA%')", {"userrole.name": "a role renamed or changed"}),
        (
            "Manager.Manager.Department = 'x' OR Contact.Account.Name = 'y' OR Office__r.City__c = 'z'",
            {
                "Manager.Manager.Department": "a change of the manager's own record",
                "Contact.Account.Name": "a change of that other record",
                "Office__r.City__c": "a change of that other record",
            },
        ),
        (
            "Id IN (SELECT AssigneeId FROM PermissionSetAssignment WHERE PermissionSet.Name = 'Gong')"
            " AND Id NOT IN (SELECT UserId\nFROM userlogin WHERE IsFrozen = true)",
            {
                "PermissionSetAssignment": "a permission set given or taken",
                "userlogin": "a user frozen or no longer",
            },
        ),
        (
            "Id IN (SELECT UserOrGroupId FROM GroupMember WHERE Group.Name = 'FROM TODAY')",
            {"GroupMember": "somebody put into a group or taken out of it"},
        ),
        ("Id IN (SELECT Owner__c FROM Desk__c)", {"Desk__c": "a change of Desk__c"}),
        *(
            (f"LastLoginDate >= {literal}", {literal: "another day"})
            for literal in (
                "TODAY",
                "Yesterday",
                "TOMORROW",
                "LAST_WEEK",
                "THIS_MONTH",
                "NEXT_QUARTER",
                "LAST_90_DAYS",
                "NEXT_N_DAYS:7",
                "last_n_days:30",
                "N_DAYS_AGO:365",
                "N_WEEKS_AGO:2",
                "THIS_FISCAL_YEAR",
                "LAST_N_FISCAL_QUARTERS:2",
                "N_FISCAL_YEARS_AGO:1",
            )
        ),
    ],
)
def test_what_a_filter_looks_at_beyond_the_user(condition: str, found: dict[str, str]) -> None:
    assert changes_elsewhere.found_in(condition) == found


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("Score__c > 5 AND Title = 'Tenure__c'", ["Score__c"]),
        ("(score__C > 5 OR User.Tenure__c = 1)", ["score__C", "User.Tenure__c"]),
        ("Region__c = 'EMEA' AND Manager.Score__c > 5", []),
        ("Id IN (SELECT Owner__c FROM Desk__c WHERE Score__c = 1)", []),
    ],
)
def test_which_formula_fields_a_filter_names(condition: str, found: list[str]) -> None:
    assert list(changes_elsewhere.formulas_in(condition, ["Score__c", "Tenure__c"])) == found
