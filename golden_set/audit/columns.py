"""Which columns of a table that people filled in are not the form's, and which of the form's it has not."""

import re
from collections.abc import Sequence

from dialogue.errors import UsageProblem, listed, nearest
from golden_set.audit.answers import odd, quoted
from golden_set.audit.forms.table import NOTE, TURN, asked, criterion_of, header
from golden_set.audit.review import Answer
from golden_set.case import EPISODE
from judge.rubric import Rubric

_NAMELESS = re.compile(r"column (\d+)")  # what `forms.table.answers` calls a column without a name


def see_columns(path: str, names: Sequence[str], answers: Sequence[Answer], rubric: Rubric) -> list[str]:
    """Return the columns of criteria that a file has not. One that it has too much does no harm while it is empty.

    Args:
        path: of the file, for messages.
        names: its columns as they are written; case does not matter.
        answers: all that it holds.
        rubric: of the audit.

    Raises:
        UsageProblem: something is written in a column that the form has not. One message tells of all of them.
    """
    there = {name.casefold() for name in names}
    missing = [one.heading for one in asked(rubric) if one.heading not in there]
    used = {(name, answer.place == EPISODE) for answer in answers for name in (*answer.ratings, *odd(answer))}
    unknown = [name for name in names if name and name.casefold() not in header(rubric)]
    extra = [name for name in unknown if any((criterion_of(name.casefold(), episode=at), at) in used for at in (True, False))]
    nameless = {int(found[1]) for name, _ in used if (found := _NAMELESS.fullmatch(name.removesuffix(TURN)))}
    told = [quoted(name) + _meant(name, missing, there) for name in extra]
    told += [f"no. {number}, which has no name" for number in sorted(nameless) if f"column {number}" not in there]
    if told:
        many = len(told) > 1
        lost = f" (of its own are missing: {listed(missing)})" if missing else ""
        raise UsageProblem(
            f"{path}: the form has no column {listed(told)}{lost}; nothing of the file was taken and the file is as it was: "
            f"{'remove the columns, or restore their names' if many else 'remove the column, or restore its name'}, and read it again"
        )
    return missing


def _meant(name: str, missing: list[str], there: set[str]) -> str:
    """Return which of the form's columns a name may stand for; of those that are there, none."""
    bare = {re.sub(r" \((turn|episode)\)$", "", heading): heading for heading in missing}
    meant = bare | {heading: heading for heading in (*missing, *([NOTE] if NOTE not in there else []))}
    found = nearest(name, meant)
    return f" (did you mean {meant[found]!r}?)" if found else ""
