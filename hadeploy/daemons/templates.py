"""Where templates are and how they are printed: they loop and print, and decide nothing."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import hadeploy

if TYPE_CHECKING:
    import jinja2


def templates_directory() -> Path:
    """The folder of templates: package data in a wheel, beside the package in a checkout."""
    package = Path(hadeploy.__file__).parent
    packaged = package / "data" / "templates"
    return packaged if packaged.is_dir() else package.parent / "templates"


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
    )


def print_view(template: str, view: object) -> str:
    """Print one typed view with one template, named ``<daemon>/<file>.j2``."""
    return _environment().get_template(template).render(view=view)
