"""The shell of every page: one self-contained HTML file without script, network or foreign fonts; light, dark and on paper."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dialogue.visible import shown
from reports.numerals import dollars, large, number, percent, sentence, signed, whole
from reports.quoting import in_code

LONG = 600  # characters of a quotation that are shown at once


def render(template: str, **values: Any) -> Markup:
    """Return what a template of `reports/templates` makes of the values; every value is escaped and every hidden character shown."""
    return Markup(_ENVIRONMENT.get_template(template).render(**values))  # noqa: S704 - the template escaped all of it


def write_pages(folder: Path, kind: str, summary: str, **values: Any) -> list[Path]:
    """Write a report of this kind as Markdown (`summary`) and as HTML (of the kind's template); return the paths."""
    markdown, page = folder / f"{kind}.md", folder / f"{kind}.html"
    markdown.write_text(summary, encoding="utf-8")
    page.write_text(render(f"{kind.replace('-', '_')}.html.j2", **values) + "\n", encoding="utf-8")
    return [markdown, page]


def _visible(value: Any) -> Any:
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _coded(text: str) -> Markup:
    """Return a text of ours whose code, in backticks, is marked as such."""
    return Markup().join(Markup("<code>{}</code>").format(part) if code else part for code, part in in_code(shown(text)))


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for write in (dollars, large, number, percent, sentence, signed, whole):
        made.filters[write.__name__] = write
    made.filters["coded"] = _coded
    made.globals.update(LONG=LONG)
    return made


_ENVIRONMENT = _environment()
