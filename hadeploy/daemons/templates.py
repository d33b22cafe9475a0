"""Where templates are and how they are printed: they loop and print, and decide nothing."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import hadeploy

if TYPE_CHECKING:
    import jinja2


T = TypeVar("T")
LINE_ENDS = ("\n", "\r", "\0")


def templates_directory() -> Path:
    """The folder of templates: package data in a wheel, beside the package in a checkout."""
    package = Path(hadeploy.__file__).parent
    packaged = package / "data" / "templates"
    return packaged if packaged.is_dir() else package.parent / "templates"


def one_line(value: T) -> T:
    """The last guard behind the types of a topology: nothing that is printed makes a further line of a file.

    Raises:
        ValueError: it would.
    """
    if isinstance(value, str) and any(each in value for each in LINE_ENDS):
        raise ValueError(f"a value with a line break would make a further line: {value!r}")
    return value


@cache
def _environment() -> jinja2.Environment:
    # Here, since validate and predict know daemons and print none of their files: a tenth of a second at each start.
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_directory()),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - configuration files, no HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=one_line,
    )


def print_view(template: str, view: object) -> str:
    """Print one typed view with one template, named ``<daemon>/<file>.j2``."""
    return _environment().get_template(template).render(view=view)
