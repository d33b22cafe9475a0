"""Every rule there is: each module ``haNNN_what_it_is_about`` of this package holds one, called ``RULE``."""

from __future__ import annotations

import pkgutil
import re
from functools import cache
from importlib import import_module

from hadeploy.rules.rule import Rule

_MODULE = re.compile(r"^ha\d{3}_[a-z0-9_]+$")


@cache
def all_rules() -> tuple[Rule, ...]:
    """All rules in the order of their codes.

    Raises:
        ValueError: two modules claim one code, or a module's name does not begin with its rule's code.
    """
    package = import_module("hadeploy.rules")
    rules: dict[str, Rule] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if not _MODULE.match(module.name):
            continue
        rule: Rule = import_module(f"hadeploy.rules.{module.name}").RULE
        if not module.name.startswith(f"{rule.code.lower()}_"):
            raise ValueError(f"{module.name} holds {rule.code}")
        if rule.code in rules:
            raise ValueError(f"{rule.code} is claimed twice")
        rules[rule.code] = rule
    return tuple(rules[code] for code in sorted(rules))


def find_rule(code: str) -> Rule | None:
    """The rule of that code, in any case of letters."""
    return next((rule for rule in all_rules() if rule.code == code.upper()), None)
