"""When a connection's credentials expire, by the day that an admin wrote into the secret (U5, N2).

A secret may hold the key `expires_on`: the last day of the app's certificate or of the password, as an ISO
date like 2027-01-31. Neither Salesforce nor Vault reports that day, so only this can warn in time. The
login does not use it.
"""

import re
from collections.abc import Mapping
from datetime import date

EXPIRES_ON = "expires_on"
# Preflight warns if fewer days are left; the alarm (CredentialsExpiringAlarm) comes later.
WARNING_DAYS = 30

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def days_left(secret: Mapping[str, str], today: date) -> int | None:
    """Return the days from today to `expires_on`, negative if it is past.

    `None` if the secret has no `expires_on`, or one that is not a date.
    """
    written = secret.get(EXPIRES_ON, "").strip()
    if not _ISO_DATE.fullmatch(written):
        return None
    try:
        return (date.fromisoformat(written) - today).days
    except ValueError:  # no such day, like 2027-02-30
        return None
