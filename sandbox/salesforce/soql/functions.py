"""The functions of a condition: parts of a date, labels and distances; and multi-select picklists.

Dates are those of UTC, and the fiscal year is the calendar year. The labels of a picklist are its values.
"""

from collections.abc import Mapping
from math import asin, cos, radians, sin, sqrt


def _part(code: str) -> str:
    return f"CAST(strftime('{code}', {{0}}) AS INTEGER)"


_YEAR, _MONTH, _DAY, _DAY_OF_YEAR = _part("%Y"), _part("%m"), _part("%d"), _part("%j")
_QUARTER = f"(({_MONTH} + 2) / 3)"
# From a function's name to its value in SQLite, {0} being the column: whole numbers, all of them.
PARTS_OF_DATES: Mapping[str, str] = {
    "CALENDAR_YEAR": _YEAR,
    "CALENDAR_QUARTER": _QUARTER,
    "CALENDAR_MONTH": _MONTH,
    "FISCAL_YEAR": _YEAR,
    "FISCAL_QUARTER": _QUARTER,
    "FISCAL_MONTH": _MONTH,
    "DAY_IN_MONTH": _DAY,
    "DAY_IN_WEEK": f"({_part('%w')} + 1)",
    "DAY_IN_YEAR": _DAY_OF_YEAR,
    "HOUR_IN_DAY": _part("%H"),
    "WEEK_IN_MONTH": f"(({_DAY} + 6) / 7)",
    "WEEK_IN_YEAR": f"(({_DAY_OF_YEAR} + 6) / 7)",
}
LABEL = "TOLABEL"
DISTANCE = "DISTANCE"
NAMES = frozenset({*PARTS_OF_DATES, LABEL, DISTANCE})
KM_A_UNIT = {"mi": 1.609344, "km": 1.0}
_EARTH_KM = 6371.0


def distance(
    latitude: float | None, longitude: float | None, to_latitude: float, to_longitude: float, unit: str
) -> float | None:
    """Return how far it is over the globe between two places, None if the first is not known."""
    if latitude is None or longitude is None:
        return None
    north, east = radians(latitude - to_latitude) / 2, radians(longitude - to_longitude) / 2
    half = sin(north) ** 2 + cos(radians(latitude)) * cos(radians(to_latitude)) * sin(east) ** 2
    return 2 * _EARTH_KM * asin(min(1.0, sqrt(half))) / KM_A_UNIT[unit]


def includes(wanted: str, held: str | None) -> bool:
    """Whether a multi-select picklist holds every one of the values, both joined by semicolons."""
    return held is not None and set(wanted.casefold().split(";")) <= set(held.casefold().split(";"))
