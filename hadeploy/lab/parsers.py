"""The parsers of a release, as a tree to change the root to: its node image with the packages that bring them.

Made from the image and the repository that the lab keeps, without network. Only root can make and enter it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from hadeploy.lab.container_image import container_recipe
from hadeploy.lab.errors import LabError
from hadeploy.lab.image import REPOSITORY_IN_NODE, SUITES, Recipe, ensure_built
from hadeploy.lab.program import run
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
_INSTALL = f"""set -eu
tree=$1 image=$2 repository=$3; shift 3
tar -C "$tree" -xf "$image" --numeric-owner
mount --bind "$tree" "$tree"
mkdir -p "$tree{REPOSITORY_IN_NODE}"
mount --bind "$repository" "$tree{REPOSITORY_IN_NODE}"
mount -t proc proc "$tree/proc"
mount --rbind /dev "$tree/dev"
printf '#!/bin/sh\\nexit 101\\n' > "$tree/usr/sbin/policy-rc.d"
chmod 755 "$tree/usr/sbin/policy-rc.d"
chroot "$tree" apt-get -qq update
DEBIAN_FRONTEND=noninteractive chroot "$tree" apt-get -o Dpkg::Use-Pty=0 -qq -y --no-install-recommends install "$@"
rm -rf "$tree"/var/lib/apt/lists/*
"""


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
    return (container_recipe(release).folder / "node.tar").is_file()


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
        install = ("sh", "-c", _INSTALL, "sh", str(tree), str(image.folder / "node.tar"))
        run(
            ["unshare", "--mount", "--net", "--", *install, str(image.repository), *recipe.packages],
            seconds=600,
        )

    ensure_built(recipe, build, tell)
    return recipe.folder / TREE


def _recipe(release: str) -> Recipe:
    """Changes whenever the node image does."""
    image = container_recipe(release)
    packages = tuple(package for package in image.packages if package in PACKAGES)
    extra = (image.fingerprint, _INSTALL)
    return Recipe("parsers", release, image.suite, packages, (), (), extra)
