"""Names and paths as the programs on a host take them: text that is no option, no second word and no second line to them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field

from hadeploy.spec.scalars import Text

LONGEST_PATH = 4095
"""Bytes that the kernel takes, without the zero at the end (PATH_MAX, path_resolution(7))."""

LONGEST_UNIT = 255
"""Characters of a unit's name with its suffix (systemd.unit(5))."""


def _of(form: str, words: str, *, longest: int = LONGEST_PATH) -> Callable[[str], str]:
    """Takes text of a form, and says in these words what else was expected."""
    pattern = re.compile(form)

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(words)
        if len(value.encode()) > longest:
            raise ValueError(f"this is longer than {longest} bytes")
        return value

    return check


def _path(refused: str, words: str) -> Callable[[str], str]:
    """An absolute path in one line without certain characters."""
    taken = _of(r"/.*", "a path begins with /")

    def check(value: str) -> str:
        taken(value)
        found = next((each for each in value if each in refused), None)
        if found is not None:
            raise ValueError(
                f"a path with {'a space' if found == ' ' else found} in it cannot be written here: {words}"
            )
        return value

    return check


def zoneless(value: str) -> str:
    """An IPv6 address may name its zone (RFC 4007, 11), any text at all; which interface is meant is said of the network."""
    if "%" in value:
        raise ValueError("an address is written without its zone (%): the interface is the network's")
    return value


def _schema(pattern: str) -> dict[str, object]:
    return {"pattern": f"^{pattern}$"}


_PACKAGE = r"[a-z0-9][a-z0-9+.-]+"
_UNIT = r"[A-Za-z0-9_:@\\][A-Za-z0-9_:@.\\-]*"
_PROCESS = r"[A-Za-z0-9_][A-Za-z0-9_.+:@-]*"
_PARAMETER = r"[A-Za-z_][A-Za-z0-9_.-]*"
_URL_PATH = r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*"
_MOUNT = r"(/[\w.+=@:,%'~-]*)+"
_DEVICE = r"/dev/[A-Za-z0-9._:@+/=#-]+"
_LOGIN = r"[^@+/\"][^\"]*"

PackageName = Annotated[
    Text,
    AfterValidator(
        _of(
            _PACKAGE,
            "a package's name is lower-case letters, digits and + . -, at least two, the first a letter or digit",
        )
    ),
    Field(json_schema_extra=_schema(_PACKAGE)),
]
"""Debian Policy Manual, 5.6.7: a first hyphen would be an option of apt-get."""

UnitName = Annotated[
    Text,
    AfterValidator(
        _of(
            _UNIT,
            "a unit's name is letters, digits and : _ . @ - \\, and does not begin with - or .",
            longest=LONGEST_UNIT - len(".service"),
        )
    ),
    Field(json_schema_extra=_schema(_UNIT)),
]
"""systemd.unit(5); a first hyphen would be an option of systemctl."""

ProcessName = Annotated[
    Text,
    AfterValidator(
        _of(_PROCESS, "a process's name is letters, digits and _ . + : @ -, the first a letter or digit")
    ),
    Field(json_schema_extra=_schema(_PROCESS)),
]
"""Goes to pgrep as a regular expression, and into a line of keepalived.conf."""

ParameterName = Annotated[
    Text,
    AfterValidator(
        _of(
            _PARAMETER,
            "a parameter's name is letters, digits and _ . -, the first a letter or _",
            longest=255,
        )
    ),
    Field(json_schema_extra=_schema(_PARAMETER)),
]
"""Part of an XML id in the CIB, and what stands before ``=`` where Pacemaker asks a fence agent."""

UrlPath = Annotated[
    Text,
    AfterValidator(
        _of(
            _URL_PATH,
            "a path of a URL begins with /; other characters than those of RFC 3986 are written as %20",
        )
    ),
    Field(json_schema_extra=_schema(_URL_PATH)),
]
"""RFC 3986, 3.3 and 3.4: the path and the query of a request."""

FilePath = Annotated[Text, AfterValidator(_path("", "")), Field(json_schema_extra=_schema("/.*"))]

ProgramPath = Annotated[
    Text,
    AfterValidator(_path("'\"\\", "keepalived has no way to write it that all of its versions read alike")),
    Field(json_schema_extra=_schema(r"/[^'\"\\]*")),
]
"""Seen with keepalived 2.2.7 and 2.3.3: only the former takes a backslash before a quotation mark."""

DocumentRoot = Annotated[
    Text,
    AfterValidator(_path("$", "nginx puts the value of a variable in its place")),
    Field(json_schema_extra=_schema(r"/[^$]*")),
]
"""nginx has no way to write ``$`` in a root (ngx_http_core_module, root)."""

MountPath = Annotated[
    Text,
    AfterValidator(
        _of(
            _MOUNT,
            "a mount point is an absolute path of letters, digits and _ . + = @ : , % ' ~ -: the cluster's agent looks for it"
            " in /proc/mounts, as a regular expression",
        )
    ),
    Field(json_schema_extra=_schema(_MOUNT)),
]
"""ocf:heartbeat:Filesystem greps for the path, and the kernel writes blanks, ``#`` and backslashes as octal numbers there."""

DevicePath = Annotated[
    Text,
    AfterValidator(_of(_DEVICE, "a device is a path below /dev of letters, digits and . _ : @ + / = # -")),
    Field(json_schema_extra=_schema(_DEVICE)),
]

LoginName = Annotated[
    Text,
    AfterValidator(
        _of(
            _LOGIN,
            "a name in pg_hba.conf does not begin with @, + or /, which have a meaning there, and has no quotation mark",
            longest=63,
        )
    ),
    Field(json_schema_extra=_schema(_LOGIN)),
]
"""63 bytes: PostgreSQL's NAMEDATALEN."""
