"""Date literals of SOQL: days relative to today, in UTC, with weeks that begin on Sunday.

The fiscal year is the calendar year.

A literal is a stretch of days: `= LAST_WEEK` is true within it, `<` before it, `>` after it.
"""

from collections.abc import Callable
from datetime import date, timedelta

type Stretch = tuple[date, date]


def _month(year: int, month: int) -> date:
    """Return the first day of a month; months count on past 12 and back before 1."""
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def _days(first: int, count: int = 1) -> Callable[[date], Stretch]:
    return lambda today: (today + timedelta(first), today + timedelta(first + count))


def _weeks(first: int, count: int = 1) -> Callable[[date], Stretch]:
    def stretch(today: date) -> Stretch:
        sunday = today - timedelta((today.weekday() + 1) % 7)
        return sunday + timedelta(weeks=first), sunday + timedelta(weeks=first + count)

    return stretch


def _months(first: int, count: int = 1, *, of: int = 1) -> Callable[[date], Stretch]:
    """`of` months at a time: 3 for quarters, 12 for years."""

    def stretch(today: date) -> Stretch:
        month = (today.month - 1) // of * of + 1
        return _month(today.year, month + first * of), _month(today.year, month + (first + count) * of)

    return stretch


_FIXED = {
    "YESTERDAY": _days(-1),
    "TODAY": _days(0),
    "TOMORROW": _days(1),
    "LAST_90_DAYS": _days(-90, 91),
    "NEXT_90_DAYS": _days(1, 90),
    "LAST_WEEK": _weeks(-1),
    "THIS_WEEK": _weeks(0),
    "NEXT_WEEK": _weeks(1),
    "LAST_MONTH": _months(-1),
    "THIS_MONTH": _months(0),
    "NEXT_MONTH": _months(1),
    "LAST_QUARTER": _months(-1, of=3),
    "THIS_QUARTER": _months(0, of=3),
    "NEXT_QUARTER": _months(1, of=3),
    "LAST_YEAR": _months(-1, of=12),
    "THIS_YEAR": _months(0, of=12),
    "NEXT_YEAR": _months(1, of=12),
}
_COUNTED: dict[str, Callable[[int], Callable[[date], Stretch]]] = {
    "LAST_N_DAYS": lambda n: _days(-n, n + 1),
    "NEXT_N_DAYS": lambda n: _days(1, n),
    "N_DAYS_AGO": lambda n: _days(-n),
    "LAST_N_WEEKS": lambda n: _weeks(-n, n),
    "NEXT_N_WEEKS": lambda n: _weeks(1, n),
    "N_WEEKS_AGO": lambda n: _weeks(-n),
    "LAST_N_MONTHS": lambda n: _months(-n, n),
    "NEXT_N_MONTHS": lambda n: _months(1, n),
    "N_MONTHS_AGO": lambda n: _months(-n),
    "LAST_N_QUARTERS": lambda n: _months(-n, n, of=3),
    "NEXT_N_QUARTERS": lambda n: _months(1, n, of=3),
    "N_QUARTERS_AGO": lambda n: _months(-n, of=3),
    "LAST_N_YEARS": lambda n: _months(-n, n, of=12),
    "NEXT_N_YEARS": lambda n: _months(1, n, of=12),
    "N_YEARS_AGO": lambda n: _months(-n, of=12),
}


def _with_fiscal[Maker](literals: dict[str, Maker]) -> dict[str, Maker]:
    """Add the fiscal quarters and years: those of the calendar, as long as Setup says nothing else."""
    fiscal = {
        name.replace(period, f"FISCAL_{period}"): maker
        for name, maker in literals.items()
        for period in ("QUARTER", "YEAR")
        if period in name
    }
    return literals | fiscal


_FIXED = _with_fiscal(_FIXED)
_COUNTED = _with_fiscal(_COUNTED)


def stretch_of(name: str, count: int | None, today: date) -> Stretch | None:
    """Return the stretch's first day and the day after its last, or None if there is no such literal."""
    try:
        if count is None:
            return _FIXED[name](today)
        return _COUNTED[name](count)(today)
    except (KeyError, ValueError, OverflowError):  # not a literal, or beyond the calendar
        return None
