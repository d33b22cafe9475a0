"""Images of nodes and their package repositories, made once a recipe by mmdebstrap and kept.

An image is a bare server: systemd, sshd, Python, apt. The daemons under test are not in it; roles install them from the
repository, which holds their packages with everything they depend on, so that installing works without a way out.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from hadeploy.lab.errors import LabError
from hadeploy.lab.program import run
from hadeploy.lab.tell import Tell

CACHE = Path("/var/cache/hadeploy/lab")
REPOSITORY_IN_NODE = "/srv/hadeploy-repository"
BUILD_SECONDS = 1200.0

BASE_PACKAGES = (
    "ca-certificates",
    "dbus",
    "iproute2",
    "iputils-ping",
    "kmod",
    "less",
    "libpam-systemd",
    "nftables",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "systemd",
    "systemd-sysv",
)

TIMERS_WITHOUT_MEANING = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "systemd-tmpfiles-clean.timer",
)

_DAEMONS = (
    "corosync",
    "corosync-qdevice",
    "corosync-qnetd",
    "pacemaker",
    "pacemaker-cli-utils",
    "ipmitool",
    "keepalived",
    "haproxy",
    "nginx-light",
    "nftables",
    "curl",
    "libxml2-utils",
    "psmisc",
    "socat",
    "resource-agents",
)


@dataclass(frozen=True, slots=True)
class Suite:
    """A Debian release: its suite, and what roles may install on it."""

    name: str
    packages: tuple[str, ...]


SUITES = {
    "debian-12": Suite("bookworm", (*_DAEMONS, "fence-agents")),
    "debian-13": Suite("trixie", (*_DAEMONS, "fence-agents-ipmilan")),
}

_SETUP = """set -eu
root="$1"; shift
mkdir -p "$root/etc/systemd/journald.conf.d" "$root/root/.ssh" "$root/etc/ssh/sshd_config.d"
printf '[Journal]\\nStorage=volatile\\nRuntimeMaxUse=32M\\n' > "$root/etc/systemd/journald.conf.d/lab.conf"
printf 'force-unsafe-io\\n' > "$root/etc/dpkg/dpkg.cfg.d/lab"
cat > "$root/etc/ssh/sshd_config.d/lab.conf" <<END
UseDNS no
PasswordAuthentication no
HostKey /etc/ssh/lab/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/lab/authorized_keys
END
chmod 700 "$root/root/.ssh"
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/machine-id" "$root"/etc/apt/sources.list.d/* "$root/etc/apt/sources.list"
touch "$root/etc/machine-id"
"""


INSTALL = f"""set -eu
tree=$1 repository=$2; shift 2
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
"""Installs packages of a repository in a node's tree: without network, in mounts that end with it, and starts no daemon."""

_AT_REST = """set -eu
tree=$1; shift
rm -f "$tree/usr/sbin/policy-rc.d"
for unit; do chroot "$tree" systemctl disable -q "$unit"; done
rm -rf "$tree"/usr/share/doc/* "$tree"/usr/share/locale/*
# Nothing under /usr is newer than what was made of it: systemd.unit(5), ConditionNeedsUpdate.
touch -r "$tree/usr" "$tree/etc/.updated" "$tree/var/.updated"
"""

INSTALLED = (INSTALL, _AT_REST)
"""All that packages in an image depend on, for its fingerprint."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What goes into an image and its repository.

    Attributes:
        kind: of node that the image is for.
        release: of the operating system.
        suite: what mmdebstrap calls it.
        packages: in the repository.
        base: packages in the image, over Debian's own minimum.
        masked: units that mean nothing in such a node.
        extra: scripts and settings of the kind, for the fingerprint.
    """

    kind: str
    release: str
    suite: str
    packages: tuple[str, ...]
    base: tuple[str, ...]
    masked: tuple[str, ...]
    extra: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Changes whenever image or repository would."""
        text = json.dumps([self.suite, self.packages, self.base, self.masked, *self.extra, _SETUP, 3])
        return sha256(text.encode()).hexdigest()[:12]

    @property
    def folder(self) -> Path:
        """Where image and repository are kept."""
        return CACHE / f"{self.release}-{self.fingerprint}"

    @property
    def repository(self) -> Path:
        """Packages and their index."""
        return self.folder / "repository"


def suite_of(release: str) -> Suite:
    """The suite of a release.

    Raises:
        LabError: there is no node image for it.
    """
    suite = SUITES.get(release)
    if suite is None:
        raise LabError("LAB030", f"no node image for {release}", f"one of: {', '.join(SUITES)}")
    return suite


def ensure_built(recipe: Recipe, build: Callable[[Path], None], tell: Tell) -> None:
    """Build an image unless it is there. ``build`` fills a folder, which appears under its name only when it is whole.

    Raises:
        LabError: the build failed.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{recipe.kind}-{recipe.release}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if recipe.folder.is_dir():
            return
        tell(f"building the {recipe.kind} image for {recipe.release} (once)")
        fresh = Path(tempfile.mkdtemp(prefix=f".{recipe.kind}-{recipe.release}-", dir=CACHE))
        try:
            build(fresh)
            fresh.chmod(0o755)
            fresh.rename(recipe.folder)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise


def bootstrap(recipe: Recipe, fresh: Path, target: Path, *, form: str, hooks: Sequence[str] = ()) -> None:
    """Make the tree (``form``: ``tar`` or ``directory``) and the repository. ``hooks`` get the tree as their argument."""
    repository = fresh / "repository"
    repository.mkdir()
    setup = fresh / "setup.sh"
    setup.write_text(_SETUP, encoding="utf-8")
    setup.chmod(0o755)
    run(
        [
            "mmdebstrap",
            "--variant=minbase",
            f"--format={form}",
            f"--include={','.join(recipe.base)}",
            # The repository first, while the machine's own package sources are still in the image.
            (
                '--customize-hook=chroot "$1" apt-get -o Dpkg::Use-Pty=0 -qq -y --no-install-recommends '
                f"--download-only install {' '.join(recipe.packages)}"
            ),
            f'--customize-hook=cp "$1"/var/cache/apt/archives/*.deb {repository}/',
            f"--customize-hook={setup}",
            *(f"--customize-hook={hook}" for hook in hooks),
            f'--customize-hook=chroot "$1" systemctl mask -q {" ".join(recipe.masked)}',
            "--skip=cleanup/apt/cache",
            '--customize-hook=rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/*',
            f'--customize-hook=printf "deb [trusted=yes] file:{REPOSITORY_IN_NODE} ./\\n" > "$1"/etc/apt/sources.list',
            recipe.suite,
            str(target),
        ],
        seconds=BUILD_SECONDS,
    )
    (repository / "Packages").write_text(_index(repository), encoding="utf-8")


def install_in_tree(tree: Path, repository: Path, packages: Sequence[str]) -> None:
    """Install packages in a node's tree as a role would in the node; what forbids services to start stays in it.

    Raises:
        LabError: a package is not in the repository, or its installation failed.
    """
    install = ("sh", "-c", INSTALL, "sh", str(tree), str(repository))
    run(["unshare", "--mount", "--net", "--", *install, *packages], seconds=600)


def install_at_rest(tree: Path, repository: Path, packages: Sequence[str]) -> None:
    """Install packages in a node's tree, and leave none of their units for a boot to start.

    Raises:
        LabError: a package is not in the repository, or its installation failed.
    """
    before = _enabled(tree)
    install_in_tree(tree, repository, packages)
    run(["sh", "-c", _AT_REST, "sh", str(tree), *sorted(_enabled(tree) - before)], seconds=60)


def _enabled(tree: Path) -> set[str]:
    """The units that a boot of this tree starts."""
    told = run(["chroot", str(tree), "systemctl", "list-unit-files", "--state=enabled", "--no-legend"])
    return {line.split()[0] for line in told.splitlines() if line.strip()}


def _index(repository: Path) -> str:
    return run(["env", "-C", str(repository), "apt-ftparchive", "packages", "."], seconds=120)
