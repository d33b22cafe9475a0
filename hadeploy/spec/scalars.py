"""The scalars that a topology is made of, each as it is written: text, whole numbers, true and false.

YAML 1.1 reads 010 as 8, 2:04 as 124 and yes as true, YAML 1.2 otherwise. So a topology's scalars are typed by what the
schema means: text is taken as written; a number is decimal digits; a switch is true or false; anything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from hadeploy.diagnostics.characters import unwanted_characters

NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")
"""A whole number as all of YAML 1.1, YAML 1.2, JSON and people read it alike; within 64 bits."""

SWITCHES = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
"""What YAML 1.1 and 1.2 read alike."""


def as_text(value: Any) -> Any:
    """What was written, where a plain scalar was typed by its look; anything that is no scalar stays."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def as_scalar(value: Any) -> Any:
    """Whole numbers, true and false as they are: their text follows from them. That of a float does not (1.10)."""
    return str(value) if isinstance(value, float) else value


def as_whole(value: Any) -> Any:
    """Read a whole number.

    Raises:
        PydanticCustomError: ``whole_number``: it is none, or written in a way that is read differently by different readers.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return int(value)
    raise PydanticCustomError("whole_number", "this should be a whole number")


def as_switch(value: Any) -> Any:
    """Read true or false.

    Raises:
        PydanticCustomError: ``switch``: it is neither; yes, no, on, off, 1 and 0 are neither.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in SWITCHES:
        return SWITCHES[value]
    raise PydanticCustomError("switch", "this should be true or false")


def _checked(value: Any) -> Any:
    if isinstance(value, str) and unwanted_characters(value):
        raise PydanticCustomError("characters", "this should be one line without control characters")
    return value


class _Read:
    """Marks a type of the schema: how a scalar is read before the type's own checks, and that it is one line."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self._read = read

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = core_schema.no_info_after_validator_function(_checked, handler(source))
        return core_schema.no_info_before_validator_function(self._read, schema)


AS_TEXT = _Read(as_text)
"""Last in the ``Annotated`` of a text with bounds of its own: ``Annotated[str, Field(pattern=...), AS_TEXT]``."""

AS_WRITTEN = _Read(as_scalar)
"""Of values whose meaning only their reader knows: numbers and true and false stay what they look like."""

Text = Annotated[str, AS_TEXT]
"""Any text of one line without control characters; the generic type of a string in a topology."""

Whole = Annotated[int, _Read(as_whole)]
"""A whole number."""

Switch = Annotated[bool, _Read(as_switch)]
"""True or false."""

Scalar = Annotated[str | int | bool, AS_WRITTEN]
"""A value that hadeploy hands on: an agent's parameter, a property, a setting. A number or true or false is one only where it
reads the same in every YAML, so that its text follows from it."""
