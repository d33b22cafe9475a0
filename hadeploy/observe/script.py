"""The probe as one text: what ``python3 -`` on a host reads from its standard input."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

PACKAGE = "hadeploy.observe.probe"

LOADER = '''
import importlib.abc, importlib.util, sys

PACKAGE, TEXTS = {package!r}, {texts}


class Sent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Modules come from the text that was sent, never from what the host has under the same name."""

    def find_spec(self, name, path=None, target=None):
        if name in TEXTS:
            return importlib.util.spec_from_loader(name, self, is_package=not TEXTS[name])

    def exec_module(self, module):
        exec(compile(TEXTS[module.__name__], module.__name__, "exec"), module.__dict__)


sys.dont_write_bytecode = True
sys.meta_path.insert(0, Sent())
importlib.import_module(PACKAGE + ".main").main(sys.argv[1])
'''


@cache
def probe_script() -> str:
    """The whole probe; a module of it is compiled on the host only where it is used."""
    parents = PACKAGE.split(".")
    texts = {".".join(parents[: depth + 1]): "" for depth in range(len(parents))}
    for file in sorted(files(PACKAGE).iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".py") and file.name != "__init__.py":
            texts[f"{PACKAGE}.{file.name.removesuffix('.py')}"] = file.read_text(encoding="utf-8")
    return LOADER.format(package=PACKAGE, texts=repr(texts))
