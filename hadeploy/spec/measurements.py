"""``measurements.json`` beside a topology: how long its operations took, as a drill found out."""

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from hadeploy.diagnostics import Diagnostic, Diagnostics, Span
from hadeploy.spec.given_file import TooLargeError, read_given
from hadeploy.spec.values import SpecModel

FILE = "measurements.json"
MOST_SAMPLES = 50

REMAKE = "remove the file, or let it be written anew: hadeploy drill TOPOLOGY --measure"


class Measurement(SpecModel):
    """Durations of one operation of one topology."""

    topology: Annotated[str, Field(description="its name")]
    release: Annotated[str, Field(description="the operating system that it was measured on")]
    where: Annotated[Literal["lab", "hosts"], Field(description="a lab's disks and BMCs are not yours")]
    operation: Annotated[str, Field(min_length=1, description="start NAME, stop NAME, fence AGENT on|off")]
    seconds: Annotated[
        tuple[Annotated[float, Field(ge=0, le=86_400)], ...], Field(min_length=1, max_length=MOST_SAMPLES)
    ]
    measured: Annotated[
        str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="the day of the latest sample")
    ]


class Measurements(SpecModel):
    """The whole file."""

    version: Literal[1] = 1
    measurements: tuple[Measurement, ...] = ()


def load_measurements(topology: Path) -> tuple[Measurements | None, Diagnostics]:
    """What lies beside a topology; nothing where there is no such file, None where there is one that cannot be read."""
    file = topology.parent / FILE
    place = Span(str(file), 1, 1)
    try:
        text = read_given(file).decode("utf-8")
        data = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except FileNotFoundError:
        return Measurements(), Diagnostics()
    except TooLargeError:
        return None, _refused("is larger than any drill writes", place)
    except OSError as error:
        return None, _refused(f"cannot be read: {(error.strerror or '').lower()}", place)
    except json.JSONDecodeError as error:
        return None, _refused(f"is not JSON: {error.msg}", Span(str(file), error.lineno, error.colno))
    except _TwiceError as error:
        return None, _refused(str(error), place)
    except (ValueError, RecursionError):
        return None, _refused("is not UTF-8 text that can be parsed", place)
    version = data.get("version") if isinstance(data, dict) else None
    if version != 1 or isinstance(version, bool):
        return None, _refused(f"has version {version!r:.20}; this hadeploy knows version 1", place)
    try:
        # By its own parser, and strictly: true is no number of seconds, and "5" is none either.
        return Measurements.model_validate_json(text, strict=True), Diagnostics()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        return None, _refused(f"is not understood at {where}", place)


class _TwiceError(ValueError):
    """A key stands twice; JSON would silently keep the last."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key in found if [each for each, _ in pairs].count(key) > 1)
        raise _TwiceError(f"has the key {twice[:40]} twice")
    return found


def _no_number(word: str) -> float:
    raise ValueError(word)


def _refused(why: str, place: Span) -> Diagnostics:
    return Diagnostics.of(
        [
            Diagnostic(
                "MEAS001",
                f"the measurements file {why}",
                place,
                detail="predictions would silently fall back to estimates",
                mend=REMAKE,
            )
        ]
    )


def write_measurements(topology: Path, found: Measurements) -> Path:
    """Write the file in one step."""
    file = topology.parent / FILE
    fresh = file.with_suffix(".new")
    fresh.write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
    fresh.replace(file)
    return file
