import pytest

from muster.crm.engage_features import FEATURES, STATUSES
from muster.presentation import left_out, words
from muster.roster import reasons
from muster.roster.member import SHOWN


@pytest.mark.parametrize(
    ("field", "called"),
    [
        ("title", "title"),
        ("first_name", "first name"),
        ("email", "e-mail"),
        ("seats.gong.state", "seat gong"),
        ("seats.gong", "seat gong"),
        ("workspaces.North, EMEA", "workspace North, EMEA"),
        ("data_capture.record_web_conferences.effective", "record web conferences"),
        ("engage_connect.request", "Engage Connect request"),
        ("crm.salesforce.call_center_id", "call center id in Salesforce"),
        ("crm.vault_crm.id", "id in Vault CRM"),
        ("custom.Region__c", "Region__c"),
        ("phone_numbers.mobile", "mobile phone"),
        ("phone_numbers.other", "phone"),
    ],
)
def test_attributes_have_an_admins_words(field: str, called: str) -> None:
    assert words.attribute(field) == called


def test_no_attribute_is_shown_by_its_code() -> None:
    assert not [name for name in SHOWN if "_" in words.attribute(name)]


def test_every_feature_status_and_reason_has_words() -> None:
    assert words.FEATURES.keys() == set(FEATURES)
    assert words.STATUSES.keys() == {status for each in STATUSES.values() for status in each}
    codes = {value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)}
    assert left_out.SHORT.keys() == codes


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("assignment:Field sales", "by Field sales"),
        ("manual:jane@acme.example", "by hand, jane@acme.example"),
        ("manager:m1", "by their manager, m1"),
        ("crm", "from Salesforce"),
        ("align", "from Align"),
        (None, ""),
    ],
)
def test_an_origin_ends_a_sentence(code: str | None, said: str) -> None:
    assert words.origin(code) == said


@pytest.mark.parametrize(
    ("run", "origin", "said"),
    [
        ("run:20261120T081532-0a1b", "crm", "run 20261120T081532-0a1b"),
        ("webhook:04l000000000001AAA", "crm", "message from Salesforce"),
        ("edit:7e2", "manual:jane@acme.example", "edited by jane@acme.example"),
        ("edit:7e2", "manager:m1", "edited by m1"),
        ("edit:7e2", "crm", "edited by hand"),
        ("groups:7e2", "manual:jane", "group request by jane"),
        ("erase:7e2", "manual:jane", "erased by jane"),
    ],
)
def test_what_brought_a_change_about_is_told_in_words(run: str, origin: str, said: str) -> None:
    assert words.cause(run, origin) == said


def test_values_moments_and_lists() -> None:
    assert [words.value(each) for each in (None, "", True, False, 12, "Rep")] == [
        "none", "none", "yes", "no", "12", "Rep",
    ]  # fmt: skip
    assert len(words.value("x" * 500)) == 60
    assert words.moment("2026-11-20T08:15:31.000Z") == "2026-11-20 08:15"
    assert words.listed([]) == ""
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.listed(["a", "b", "c", "d"]) == "a, b, c and 1 more"
    assert words.listed(["a"], total=1_205) == "a and 1,204 more"
    assert words.listed([], total=3) == "3"
