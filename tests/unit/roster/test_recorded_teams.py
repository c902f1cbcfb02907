"""Whose team counts as recorded (N1)."""

from dataclasses import replace

import pytest

from muster.roster.data_capture import Capture
from muster.roster.member import Member
from muster.roster.recorded_teams import recorded_under

RECORDED = Capture("enabled", "enabled", None, "crm")
WITHOUT_SEAT = Capture("enabled", "disabled", "gong", "crm")
PREVENTED = Capture("prevented", "prevented", None, "crm")

ADA = Member(
    id="ada",
    organization="acme",
    active=True,
    manager="grace",
    data_capture={"record_web_conferences": RECORDED},
)


@pytest.mark.parametrize(
    ("member", "manager"),
    [
        (ADA, "grace"),
        (replace(ADA, active=False), None),
        (replace(ADA, manager=None), None),
        (replace(ADA, data_capture={}), None),
        (replace(ADA, data_capture={"import_emails": RECORDED}), None),
        (replace(ADA, data_capture={"record_web_conferences": WITHOUT_SEAT}), None),
        (replace(ADA, data_capture={"record_web_conferences": PREVENTED}), None),
        (None, None),
    ],
)
def test_a_team_is_recorded_by_its_active_members_whose_recording_is_in_effect(
    member: Member | None, manager: str | None
) -> None:
    assert recorded_under(member) == manager
