"""Times and durations in Go's form, for the texts of contexts.

Go: time/format.go Time.String; time/time.go Duration.String.
"""

from __future__ import annotations

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
DAYS_0000_TO_1970 = 719_468  # from 1 March of the year 0


def time_text(ns: int) -> str:
    """`2000-01-01 00:00:00.5 +0000 UTC`; ns since 1970.

    Go: time/format.go Time.String.
    """
    days, rest = divmod(ns, DAY)
    era, day_of_era = divmod(days + DAYS_0000_TO_1970, 146_097)
    year_of_era = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    year = year_of_era + era * 400 + (month <= 2)
    seconds, fraction = divmod(rest, SECOND)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{year:04d}-{month:02d}-{day:02d} {clock}{_fraction(fraction, 9)} +0000 UTC"


def duration_text(ns: int) -> str:
    """`1h2m3.5s`, `1.5ms`, `0s`.

    Go: time/time.go Duration.String.
    """
    sign = "-" if ns < 0 else ""
    ns = abs(ns)
    if ns == 0:
        return "0s"
    for unit, digits in (("ns", 0), ("µs", 3), ("ms", 6)):
        if ns < 10 ** (digits + 3):
            whole, fraction = divmod(ns, 10**digits)
            return f"{sign}{whole}{_fraction(fraction, digits)}{unit}"
    seconds, fraction = divmod(ns, SECOND)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{seconds}{_fraction(fraction, 9)}s"
    if minutes or hours:
        text = f"{minutes}m{text}"
    return sign + (f"{hours}h{text}" if hours else text)


def _fraction(number: int, digits: int) -> str:
    return f".{number:0{digits}d}".rstrip("0") if number else ""
