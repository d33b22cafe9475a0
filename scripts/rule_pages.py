"""Write docs/rules: one page a design rule, their index, and a page of all other codes, from what defines them.

With --check nothing is written: exit code 1 when a page is not what its rule says.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from hadeploy.app.explain import Explanation, all_explanations, explain_rule
from hadeploy.cli.explain_view import as_markdown
from hadeploy.rules import all_rules

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "rules"
INDEX = "README.md"
OTHERS = "other-codes.md"
COMMAND = "make docs"


def pages() -> dict[str, str]:
    """Every page by its name."""
    known = [explain_rule(rule) for rule in all_rules()]
    others = [one for one in all_explanations() if not one.is_rule]
    one_each = {f"{one.code}.md": as_markdown(one) for one in known}
    return {INDEX: index(known), OTHERS: other_codes(others)} | one_each


def index(known: list[Explanation]) -> str:
    """All rules by family."""
    families = list(dict.fromkeys(one.family for one in known))
    ordered = sorted(known, key=lambda one: (families.index(one.family), one.code))
    lines = [
        "# Design rules",
        "",
        "What `hadeploy validate` refuses before any host is touched. `hadeploy explain CODE` says the same on a",
        "terminal. An error stops every later verb, unless the topology accepts the risk by name, with a reason.",
        "",
        f"What else can be found in a topology, or can keep a command from being carried out: [{OTHERS}]({OTHERS}).",
        "",
        f"These pages are written from the rules: `{COMMAND}`.",
    ]
    for family, members in groupby(ordered, key=lambda one: one.family):
        lines += ["", f"## {family}", "", "| rule | | what it asks for |", "|---|---|---|"]
        lines += [f"| [{one.code}]({one.code}.md) | {one.severity} | {one.title} |" for one in members]
    return "\n".join(lines) + "\n"


def other_codes(known: list[Explanation]) -> str:
    """What is no design rule's, as one table a family."""
    lines = ["# Other codes", "", "`hadeploy explain CODE` says the same, with examples where there are any."]
    for family, members in groupby(known, key=lambda one: one.family):
        lines += [
            "",
            f"## {family}",
            "",
            "| code | what was found | why it matters | what to do |",
            "|---|---|---|---|",
        ]
        lines += [f"| {one.code} | {one.title} | {one.reason} | {one.mend} |" for one in members]
    return "\n".join(lines).replace("<<", "`<<`") + "\n"


def stale() -> list[str]:
    """Pages that are not what their rules say, of rules that are no more, or missing."""
    wanted = pages()
    there = {page.name: page.read_text(encoding="utf-8") for page in FOLDER.glob("*.md")}
    return sorted(name for name in wanted | there if wanted.get(name) != there.get(name))


def write() -> None:
    """All pages anew; those of rules that are no more are removed."""
    wanted = pages()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for page in FOLDER.glob("*.md"):
        if page.name not in wanted:
            page.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write, or check."""
    if arguments != ["--check"]:
        write()
        return 0
    names = stale()
    if names:
        sys.stderr.write(f"not what the rules say: {', '.join(names)}; run: {COMMAND}\n")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
