"""When a connection's credentials end, by the day that an admin wrote into their secret (U5, N2).

A secret may hold the key `expires_on`: the last day of the app's certificate or of the password, as an ISO
date like 2027-01-31. Neither Salesforce nor Vault tells it, so nothing but this can warn in time. For a
login it means nothing.
"""

import re
from collections.abc import Mapping
from datetime import date

EXPIRES_ON = "expires_on"
# Preflight warns with fewer days left than this; the alarm (CredentialsExpiringAlarm) comes later.
WARNING_DAYS = 30

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def days_left(secret: Mapping[str, str], today: date) -> int | None:
    """Return the days from today to the secret's last day, negative when that is past.

    `None` where the secret names no day, or none that can be read as one.
    """
    written = secret.get(EXPIRES_ON, "").strip()
    if not _ISO_DATE.fullmatch(written):
        return None
    try:
        return (date.fromisoformat(written) - today).days
    except ValueError:  # no such day, like 2027-02-30
        return None
