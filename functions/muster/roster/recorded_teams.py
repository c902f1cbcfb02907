"""Recorded teams: the active reports of a manager whose web conferences are recorded (N1). Pure."""

from muster.roster.member import Member

# The data capture setting that counts.
RECORDING = "record_web_conferences"


def recorded_under(member: Member | None) -> str | None:
    """Return the manager (member id) of an active, recorded member; `None` for any other."""
    if member is None or not member.active:
        return None
    recording = member.data_capture.get(RECORDING)
    return member.manager if recording and recording.effective == "enabled" else None
