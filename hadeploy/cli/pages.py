"""Pages and drawings from templates: names and reasons come from a person's file, so everything is escaped."""

from __future__ import annotations

from functools import cache

import jinja2

from hadeploy.daemons.templates import templates_directory


@cache
def page_environment() -> jinja2.Environment:
    """Where templates of pages are found, and how they are printed."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_directory()),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
