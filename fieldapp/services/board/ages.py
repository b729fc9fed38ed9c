"""How long something has lasted, in words; the board's script (ages.ts) writes the same."""

from babel.units import format_unit

HOURS_FROM = 2 * 60  # minutes: before that, minutes say more
DAYS_FROM = 48 * 60


def write_age(minutes: int, language: str) -> str:
    """Return a number of minutes in words, such as 12 min, 3 hr, 2 days."""
    if minutes < HOURS_FROM:
        return _write_unit(minutes, "duration-minute", language)
    if minutes < DAYS_FROM:
        return _write_unit(minutes // 60, "duration-hour", language)
    return _write_unit(minutes // (24 * 60), "duration-day", language)


def _write_unit(count: int, unit: str, language: str) -> str:
    return str(format_unit(count, unit, length="short", locale=language))
