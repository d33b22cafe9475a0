"""The parsers of a release, as a tree to change the root to: its node image with the packages that bring them.

Made from the image and the repository that the lab keeps, without network. Only root can make and enter it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from hadeploy.lab.container_image import ARCHIVE, container_recipe, unpack
from hadeploy.lab.errors import LabError
from hadeploy.lab.image import INSTALL, SUITES, Recipe, ensure_built, install_in_tree
from hadeploy.lab.tell import Tell

PACKAGES = frozenset(
    {
        "corosync",
        "corosync-qdevice",
        "corosync-qnetd",
        "drbd-utils",
        "haproxy",
        "keepalived",
        "libxml2-utils",
        "nftables",
        "nginx-light",
        "pacemaker-cli-utils",
        "sbd",
    }
)
"""Those that bring parsers, or units that drop-ins are read with; of them, those that the repository has."""

TREE = "root"


def parser_root(release: str) -> Path | None:
    """The tree, where there is one and this process may enter it."""
    if os.geteuid() != 0 or release not in SUITES:
        return None
    tree = _recipe(release).folder / TREE
    return tree if tree.is_dir() else None


def can_make_parser_root(release: str) -> bool:
    """Whether the node image is there, and this process may make a tree of it."""
    if os.geteuid() != 0 or release not in SUITES or shutil.which("unshare") is None:
        return False
    return (container_recipe(release).folder / ARCHIVE).is_file()


def ensure_parser_root(release: str, tell: Tell) -> Path:
    """The tree; made where it is missing.

    Raises:
        LabError: the release has no node image, or making the tree failed.
    """
    image = container_recipe(release)
    if not can_make_parser_root(release):
        raise LabError("LAB032", f"no node image for {release} on this machine", "hadeploy lab up makes it")
    recipe = _recipe(release)

    def build(fresh: Path) -> None:
        tree = fresh / TREE
        tree.mkdir(mode=0o755)
        unpack(image, tree)
        install_in_tree(tree, image.repository, recipe.packages)

    ensure_built(recipe, build, tell)
    return recipe.folder / TREE


def _recipe(release: str) -> Recipe:
    """Changes whenever the node image does."""
    image = container_recipe(release)
    packages = tuple(package for package in image.packages if package in PACKAGES)
    extra = (image.fingerprint, INSTALL)
    return Recipe("parsers", release, image.suite, packages, (), (), extra)
