"""A TOML data file checked against its model: rubrics, recipes, outcome tables, settings. Errors name file, line, value, allowed."""

import re
import tomllib
from datetime import date, time
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from dialogue.errors import UsageProblem, did_you_mean, listed

WORDING = {  # where pydantic speaks of Python
    "model_type": "expected a table of keys and values, such as {{ key = value }}",
    "dict_type": "expected a table of keys and values, such as {{ key = value }}",
    "tuple_type": "expected an array, such as [1, 2]",
    "too_short": "expected at least {min_length}",
    "too_long": "expected at most {max_length}",
    "string_type": "expected a text in quotes",
    "string_pattern_mismatch": "expected lower-case letters, digits and _, beginning with a letter",
}

Model = TypeVar("Model", bound=BaseModel)


def shipped(package: str, folder: str) -> dict[str, Path]:
    """Return the data files that ship in `package`/`folder`, by name (file stem)."""
    found = files(package).joinpath(folder)
    return {Path(entry.name).stem: Path(str(entry)) for entry in sorted(found.iterdir(), key=lambda entry: entry.name)}


def find(name: str, kind: str, available: dict[str, Path]) -> Path:
    """Return the path of a data file given as a shipped name or as a path ending in .toml.

    Raises:
        UsageProblem: neither a shipped name nor an existing file.
    """
    if name in available:
        return available[name]
    path = Path(name)
    if path.suffix == ".toml" and path.is_file():
        return path
    if path.suffix == ".toml":
        raise UsageProblem(f"no {kind} file {name!r}; shipped: {listed(available)}")
    raise UsageProblem(
        f"unknown {kind} {name!r}{did_you_mean(name, available)}; shipped: {listed(available)}; or give a path to a .toml file"
    )


def load(path: Path, model: type[Model]) -> Model:
    """Return the model that the file holds.

    Raises:
        UsageProblem: unreadable, not TOML, or a key or value that the model refuses.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"cannot read {path}: {error}") from error
    try:
        return model.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageProblem(f"{path}:{_line_in(error, text)}: not valid TOML: {error}") from error
    except ValidationError as error:
        raise UsageProblem(explain(error, model, path, text)) from error


class Misplaced(ValueError):
    """A mistake that a validator of a whole model found further down, at `where`."""

    def __init__(self, message: str, *where: int | str) -> None:
        super().__init__(message)
        self.where = where


def _line_in(error: tomllib.TOMLDecodeError, text: str) -> int:
    found = re.search(r"at line (\d+)", str(error))
    return int(found[1]) if found else max(1, len(text.splitlines()))


def explain(error: ValidationError, model: type[BaseModel], path: Path, text: str) -> str:
    """Return one line for each thing that does not fit: `file:line: where: value; allowed`."""
    problems = error.errors(include_url=False)
    at_fault = [problem["loc"] for problem in problems]
    told = [
        p for p in problems if p["type"] != "too_short" or not any(loc != p["loc"] and loc[: len(p["loc"])] == p["loc"] for loc in at_fault)
    ]
    return "\n".join(_explain_one(dict(problem), model, path, text) for problem in told)


def _explain_one(problem: dict[str, Any], model: type[BaseModel], path: Path, text: str) -> str:
    where = [part for part in problem["loc"] if part != "str"]
    where += getattr(problem.get("ctx", {}).get("error"), "where", ())
    place = f"{path}:{line_of(text, where)}"
    dotted = ".".join(str(part) for part in where) or "the file"
    if problem["type"] == "extra_forbidden":
        allowed = list(_fields_at(model, where[:-1]))
        key = str(where[-1])
        return f"{place}: unknown key {dotted!r}{did_you_mean(key, allowed)}; allowed: {listed(allowed)}"
    if problem["type"] == "missing":
        return f"{place}: {dotted!r} is missing"
    known = WORDING.get(problem["type"])
    message = known.format(**problem.get("ctx", {})) if known else str(problem["msg"]).removeprefix("Value error, ")
    value = problem["input"]
    shown = "" if isinstance(value, dict | list | BaseModel) else f" is {value if isinstance(value, date | time) else repr(value)}"
    return f"{place}: {dotted!r}{shown}: {message[0].lower()}{message[1:]}"


def _fields_at(model: type[BaseModel], where: list[int | str]) -> list[str]:
    """Return the keys that `model` allows at the path `where`."""
    current: Any = model
    for part in where:
        if isinstance(part, int) or not hasattr(current, "model_fields"):
            continue
        annotation = current.model_fields[part].annotation if part in current.model_fields else None
        current = _model_in(annotation) or current
    return [field.alias or name for name, field in current.model_fields.items()]


def _model_in(annotation: Any) -> Any:
    """Return the model inside an annotation such as `tuple[Criterion, ...]`, `Scale | None` or `dict[str, Named]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if found := _model_in(argument):
            return found
    return None


def line_of(text: str, where: list[int | str]) -> int:
    """Return the line (from 1) on which the value at `where` stands, or the nearest table that holds it.

    TOML parsers keep no positions. This walks table headers and keys, which is enough for the flat
    files that we define; a place it cannot see falls back to the enclosing table's line.
    """
    lines = text.splitlines()
    best, seen_tables = 1, 0
    tables = [str(part) for part in where if isinstance(part, str)]
    number = next((part for part in where if isinstance(part, int)), 0)
    inside: list[str] = []
    for at, line in enumerate(lines, start=1):
        if header := re.match(r"\s*(\[\[?)\s*([^\]]+?)\s*\]", line):
            inside = [part.strip().strip("\"'") for part in header[2].split(".")]
            if inside == tables[: len(inside)]:
                if header[1] == "[[":
                    seen_tables += 1
                    if seen_tables - 1 != number:
                        inside = ["another element"]
                        continue
                best = at
        elif inside == tables[: len(inside)] and len(tables) > len(inside):
            key = re.match(r"\s*[\"']?([^\"'=\s]+)[\"']?\s*=", line)
            if key and key[1] == tables[len(inside)]:
                return at
    return best
