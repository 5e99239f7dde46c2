"""The form `xlsx`: a workbook with the places to rate, the levels on a second sheet, and lists to choose from. Reads what was saved."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from zipfile import is_zipfile

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Font, NamedStyle, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from dialogue.errors import UsageProblem
from dialogue.visible import shown
from golden_set.audit.forms import table
from golden_set.audit.review import Answer, Review

REVIEW, LEVELS = "Review", "Levels"
WIDTHS = {"audit": 12, "item": 7, "place": 9, "hash": 12, "dialogue": 72, "turn": 48, table.NOTE: 40}
TALLEST = 400  # points; Excel allows 409
PROMPT = 255  # characters that Excel shows beside a cell
Cells = list[tuple[object, ...]]
HEAD, SHOWN, ANSWER, NOTE = "audit head", "audit shown", "audit answer", "audit note"


class InWorkbook:
    """Writes what is shown locked (without a password) and all cells as texts, so that none is a formula."""

    def write(self, review: Review, folder: Path) -> list[Path]:
        """Write the workbook; return its path in a list."""
        book = Workbook()
        for style in _styles():
            book.add_named_style(style)
        sheet = book.worksheets[0]
        sheet.title = REVIEW
        names = table.header(review.rubric)
        _fill(sheet, [names, *table.lines(review)], [WIDTHS.get(name, 16) for name in names])
        for at, line in enumerate(sheet.iter_rows(min_row=2), 2):
            for answer in line[len(table.KEYS) + len(table.TEXTS) : -1]:
                if answer.value != table.UNASKED:
                    answer.style = ANSWER
            line[-1].style = NOTE
            sheet.row_dimensions[at].height = _height(str(line[names.index("dialogue")].value))
        for column, one in enumerate(table.asked(review.rubric), len(table.KEYS) + len(table.TEXTS) + 1):
            sheet.add_data_validation(_choice(one, f"{get_column_letter(column)}2:{get_column_letter(column)}{len(review.rows) + 1}"))
        sheet.protection.sheet = True
        sheet.protection.formatColumns = sheet.protection.formatRows = False  # widths and heights stay free
        _fill(book.create_sheet(LEVELS), table.legend(review.rubric), [24, 22, 50, 90])
        path = folder / f"{review.name}.xlsx"
        book.save(path)
        return [path]

    def knows(self, path: Path) -> bool:
        """Say whether it is a workbook with a sheet that has our columns."""
        try:
            return is_zipfile(path) and _sheet(path, rows=1) is not None
        except Exception:  # whatever a damaged archive makes the package raise
            return False

    def read(self, path: Path) -> Iterator[Answer]:
        """Yield the answers of the rows that somebody answered. A formula counts as its text, never as what it would come to.

        Raises:
            UsageProblem: it is no workbook, or has no sheet with our columns.
        """
        names, *rows = _table(path)
        yield from table.answers(str(path), _names(names), (_plain(row) for row in rows))

    def columns(self, path: Path) -> list[str]:
        """Return the names of the columns; raises as `read` does."""
        return _names(_table(path, rows=1)[0])


FORM = InWorkbook()


def _table(path: Path, rows: int | None = None) -> Cells:
    """Return the first rows, or all, of the sheet that has our columns."""
    try:
        found = _sheet(path, rows)
    except OSError as error:
        raise UsageProblem(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:
        raise UsageProblem(f"{path}: no workbook that can be read ({shown(str(error))[:200]}); save it again as .xlsx") from error
    if found is None:
        raise UsageProblem(f"{path}: no sheet of it has the columns {', '.join(table.KEYS)}; expected a form as it was written")
    return found


def _names(row: Sequence[object]) -> list[str]:
    return [str(name or "").strip() for name in row]


def _plain(row: Sequence[object]) -> list[object]:
    """Return cells without what Excel writes for a carriage return; where people wrote the same, `table.cell` changed it."""
    return [value.replace("_x000D_", "") if isinstance(value, str) else value for value in row]


def _styles() -> tuple[NamedStyle, ...]:
    """Return the styles of cells; a workbook makes them its own."""
    wrapped, free = Alignment(wrap_text=True, vertical="top"), Protection(locked=False)
    return (
        NamedStyle(HEAD, font=Font(bold=True), fill=PatternFill("solid", fgColor="DDE5EE"), alignment=wrapped),
        NamedStyle(SHOWN, alignment=wrapped),
        NamedStyle(ANSWER, alignment=wrapped, protection=free),
        NamedStyle(NOTE, alignment=wrapped, protection=free, number_format="@"),  # a text, whatever it begins with
    )


def _fill(sheet: Worksheet, rows: Iterable[list[str]], widths: list[int]) -> None:
    """Write a header and rows of texts; locked, until a cell gets another style."""
    for at, row in enumerate(rows, 1):
        for column, text in enumerate(row, 1):
            one = sheet.cell(at, column)
            assert isinstance(one, Cell)  # noqa: S101 - only merged cells are another kind
            if text:
                one.value = table.cell(text)
                one.data_type = "s"  # also where it begins with an equals sign
                one.style = SHOWN if at > 1 else HEAD
    for column, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = "A2"


def _height(text: str) -> float:
    rows = sum(len(line) // WIDTHS["dialogue"] + 1 for line in text.split("\n"))
    return min(TALLEST, max(45.0, 15.0 * rows))


def _choice(one: table.Asked, cells: str) -> DataValidation:
    """Return a list of the scale's numbers; another number is asked about, not forbidden, since one may rate between two levels."""
    scale = one.criterion.scale
    question = shown(one.criterion.question)
    return DataValidation(
        type="list",
        formula1=f'"{",".join(map(str, range(scale.low, scale.high + 1)))}"',
        sqref=cells,
        allow_blank=True,
        errorStyle="warning",
        showErrorMessage=True,
        errorTitle=one.heading[:32],
        error=f"Expected a number from {scale.low} to {scale.high}; between two levels such as {scale.low + 0.5} is allowed.",
        showInputMessage=True,
        promptTitle=one.heading[:32],
        prompt=question if len(question) <= PROMPT else question[: PROMPT - 1] + "…",
    )


def _sheet(path: Path, rows: int | None = None) -> Cells | None:
    """Return the first rows, or all, of the first sheet that has our columns."""
    with path.open("rb") as stream, warnings.catch_warnings():  # given a stream, openpyxl does not go by the file's name
        warnings.simplefilter("ignore")  # of extensions that other programs write and it leaves out
        book = load_workbook(stream, read_only=True)
        try:
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # some programs write a wrong one
                first = next(sheet.iter_rows(max_row=1, values_only=True), ())
                if table.ours(_names(first)):
                    return list(sheet.iter_rows(max_row=rows, values_only=True))
        finally:
            book.close()
    return None
