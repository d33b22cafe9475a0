"""Design rules: what is known to go wrong, refused before any host is touched.

One rule a module, named after its code. ``registry`` finds them, ``check_rules`` holds one design against all of them.
"""

from hadeploy.rules.judge import check_rules, check_rules_across
from hadeploy.rules.registry import all_rules, find_rule

__all__ = ["all_rules", "check_rules", "check_rules_across", "find_rule"]
