"""How reports write numbers: two decimals, a true minus, a sign before every shift, a dash for what is not known."""

import math

UNKNOWN = "–"
MINUS = "\N{MINUS SIGN}"
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def number(value: float | None, places: int = 2) -> str:
    """Return a number with fixed decimals; what rounds to zero has no sign."""
    if value is None:
        return UNKNOWN
    return f"{round(value, places) + 0.0:.{places}f}".replace("-", MINUS)


def signed(value: float | None, places: int = 2) -> str:
    """Return a shift with its sign, but zero with none."""
    text = number(value, places)
    return text if value is None or text.startswith(MINUS) or round(value, places) == 0 else f"+{text}"


def percent(value: float | None) -> str:
    """Return a share as a percentage, with one decimal where it has one."""
    return UNKNOWN if value is None else f"{number(100 * value, 1).removesuffix('.0')}%"


def whole(value: int | None) -> str:
    """Return a count with its thousands apart."""
    return UNKNOWN if value is None else f"{value:,}".replace("-", MINUS)


def dollars(value: float | None) -> str:
    """Return a price in US dollars; small ones with four decimals."""
    if value is None:
        return "price not known"
    return f"${number(value, 4 if 0 < value < 0.1 else 2)}"


def large(value: float | None) -> str:
    """Return a number that may be of any size: from a million on, by its power of ten."""
    if value is None or abs(value) < 1e6:
        return number(value)
    power = math.floor(math.log10(abs(value)))
    return f"{number(value / 10.0**power, 1)} × {power_of_ten(power)}"


def power_of_ten(power: int) -> str:
    """Return ten to this power, as people write it."""
    return f"10{str(power).translate(_RAISED)}"


def sentence(text: str) -> str:
    """Return a text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]
