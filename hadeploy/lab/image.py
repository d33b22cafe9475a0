"""The node image and its package repository, made once a recipe by mmdebstrap and kept.

The image is a bare server: systemd, sshd, Python, apt. The daemons under test are not in it; roles install them from the
repository, which holds their packages with everything they depend on, so that installing works without a way out.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from hadeploy.lab.errors import LabError
from hadeploy.lab.program import run

CACHE = Path("/var/cache/hadeploy/lab")
STORAGE = ("--root", "/var/lib/hadeploy/containers", "--runroot", "/run/hadeploy/containers")
"""The lab's own container storage: the machine's podman never sees it."""

REPOSITORY_IN_NODE = "/srv/hadeploy-repository"

BASE_PACKAGES = [
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
]

UNITS_WITHOUT_MEANING = [
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "systemd-tmpfiles-clean.timer",
    "systemd-udevd.service",
    "systemd-udev-trigger.service",
    "systemd-modules-load.service",
    "getty@tty1.service",
    "console-getty.service",
    "systemd-timesyncd.service",
]
"""Units that mean nothing without a machine of one's own."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What goes into an image and its repository."""

    release: str
    suite: str
    packages: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """Changes whenever image or repository would."""
        text = json.dumps([self.suite, self.packages, BASE_PACKAGES, UNITS_WITHOUT_MEANING, _SETUP, 3])
        return sha256(text.encode()).hexdigest()[:12]

    @property
    def tag(self) -> str:
        """Name of the image in the lab's storage."""
        return f"localhost/hadeploy-node:{self.release}-{self.fingerprint}"

    @property
    def folder(self) -> Path:
        """Where image and repository are kept."""
        return CACHE / f"{self.release}-{self.fingerprint}"

    @property
    def repository(self) -> Path:
        """Packages and their index."""
        return self.folder / "repository"


_COMMON = [
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
]

RECIPES = {
    "debian-12": Recipe("debian-12", "bookworm", (*_COMMON, "resource-agents", "fence-agents")),
    "debian-13": Recipe("debian-13", "trixie", (*_COMMON, "resource-agents", "fence-agents-ipmilan")),
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


def ensure_image(release: str, tell: Callable[[str], None] = lambda _: None) -> Recipe:
    """Build what is missing of a release's image and repository; reuse what is there.

    Raises:
        LabError: the release is unknown, or a build failed.
    """
    recipe = RECIPES.get(release)
    if recipe is None:
        raise LabError("LAB030", f"no node image for {release}", f"one of: {', '.join(RECIPES)}")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{release}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not recipe.folder.is_dir():
            tell(f"building the node image for {release} (once)")
            _build(recipe)
        if not _imported(recipe):
            tell(f"importing the node image for {release}")
            run(["podman", *STORAGE, "import", str(recipe.folder / "node.tar"), recipe.tag], seconds=300)
    return recipe


def _imported(recipe: Recipe) -> bool:
    listed = run(["podman", *STORAGE, "images", "--quiet", "--filter", f"reference={recipe.tag}"], seconds=60)
    return bool(listed.strip())


def _build(recipe: Recipe) -> None:
    fresh = Path(tempfile.mkdtemp(prefix=f".{recipe.release}-", dir=CACHE))
    try:
        repository = fresh / "repository"
        repository.mkdir()
        setup = fresh / "setup.sh"
        setup.write_text(_SETUP, encoding="utf-8")
        setup.chmod(0o755)
        run(
            [
                "mmdebstrap",
                "--variant=minbase",
                "--format=tar",
                f"--include={','.join(BASE_PACKAGES)}",
                # The repository first, while the machine's own package sources are still in the image.
                (
                    '--customize-hook=chroot "$1" apt-get -o Dpkg::Use-Pty=0 -qq -y --no-install-recommends '
                    f"--download-only install {' '.join(recipe.packages)}"
                ),
                f'--customize-hook=cp "$1"/var/cache/apt/archives/*.deb {repository}/',
                f"--customize-hook={setup}",
                f'--customize-hook=chroot "$1" systemctl mask -q {" ".join(UNITS_WITHOUT_MEANING)}',
                "--skip=cleanup/apt/cache",
                '--customize-hook=rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/*',
                f'--customize-hook=printf "deb [trusted=yes] file:{REPOSITORY_IN_NODE} ./\\n" > "$1"/etc/apt/sources.list',
                recipe.suite,
                str(fresh / "node.tar"),
            ],
            seconds=1200,
        )
        (repository / "Packages").write_text(_index(repository), encoding="utf-8")
        fresh.chmod(0o755)
        fresh.rename(recipe.folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _index(repository: Path) -> str:
    return run(["env", "-C", str(repository), "apt-ftparchive", "packages", "."], seconds=120)
