"""The image of a container: a tarball, imported into the lab's own storage."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

from hadeploy.lab.image import (
    BASE_PACKAGES,
    INSTALLED,
    TIMERS_WITHOUT_MEANING,
    Recipe,
    bootstrap,
    ensure_built,
    install_at_rest,
    suite_of,
)
from hadeploy.lab.program import run
from hadeploy.lab.tell import Tell

STORAGE = ("--root", "/var/lib/hadeploy/containers", "--runroot", "/run/hadeploy/containers")
"""The lab's own container storage: the machine's podman never sees it."""

ARCHIVE = "node.tar"

_DATABASES = ("postgresql",)
"""What replicates by itself, so that it needs no disk of its own; a machine has more (its storage packages)."""

UNITS_WITHOUT_HARDWARE = (
    "systemd-udevd.service",
    "systemd-udev-trigger.service",
    "systemd-modules-load.service",
    "getty@tty1.service",
    "console-getty.service",
    "systemd-timesyncd.service",
)
"""Units that mean nothing without a machine of one's own."""


@cache
def container_recipe(release: str) -> Recipe:
    """The recipe of a release's container.

    Raises:
        LabError: the release is unknown.
    """
    suite = suite_of(release)
    masked = (*TIMERS_WITHOUT_MEANING, *UNITS_WITHOUT_HARDWARE)
    packages = (*suite.packages, *_DATABASES)
    return Recipe("container", release, suite.name, packages, (*BASE_PACKAGES, "sudo"), masked)


def image_tag(recipe: Recipe) -> str:
    """Name of the image in the lab's storage."""
    return f"localhost/hadeploy-node:{recipe.release}-{recipe.fingerprint}"


def ensure_container_image(release: str, tell: Tell) -> Recipe:
    """Build what is missing of a release's image and repository; reuse what is there.

    Raises:
        LabError: the release is unknown, or a build failed.
    """
    recipe = container_recipe(release)
    ensure_built(recipe, lambda fresh: bootstrap(recipe, fresh, fresh / ARCHIVE, form="tar"), tell)
    return _imported(recipe, tell)


def installed_recipe(release: str) -> Recipe:
    """The recipe of a release's container with what roles install; it changes whenever the bare one does.

    Raises:
        LabError: the release is unknown.
    """
    bare = container_recipe(release)
    return Recipe("installed", release, bare.suite, bare.packages, (), (), (bare.fingerprint, *INSTALLED))


def ensure_installed_image(release: str, tell: Tell) -> Recipe:
    """The same with what roles install, made of the bare image and its repository.

    Raises:
        LabError: the release is unknown, or a build failed.
    """
    bare = ensure_container_image(release, tell)
    recipe = installed_recipe(release)

    def build(fresh: Path) -> None:
        tree = fresh / "root"
        tree.mkdir(mode=0o755)
        unpack(bare, tree)
        install_at_rest(tree, bare.repository, recipe.packages)
        run(["tar", "-C", str(tree), "-cf", str(fresh / ARCHIVE), "--numeric-owner", "."], seconds=600)
        shutil.rmtree(tree)

    ensure_built(recipe, build, tell)
    return _imported(recipe, tell)


def unpack(recipe: Recipe, tree: Path) -> None:
    """Lay an image's files out in an empty folder."""
    run(["tar", "-C", str(tree), "-xf", str(recipe.folder / ARCHIVE), "--numeric-owner"], seconds=600)


def _imported(recipe: Recipe, tell: Tell) -> Recipe:
    tag = image_tag(recipe)
    if not run(["podman", *STORAGE, "images", "--quiet", "--filter", f"reference={tag}"]).strip():
        tell(f"importing the {recipe.kind} image for {recipe.release}")
        run(["podman", *STORAGE, "import", str(recipe.folder / ARCHIVE), tag], seconds=300)
    return recipe
