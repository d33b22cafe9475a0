"""The image of a machine: a root file system on a disk, kernel and initrd, and the package repository on a second disk."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

from hadeploy.lab.errors import LabError
from hadeploy.lab.image import (
    BASE_PACKAGES,
    INSTALLED,
    REPOSITORY_IN_NODE,
    TIMERS_WITHOUT_MEANING,
    Recipe,
    bootstrap,
    ensure_built,
    install_at_rest,
    suite_of,
)
from hadeploy.lab.program import run
from hadeploy.lab.tell import Tell

ROOT_SIZE = "8G"
"""Of the root file system; sparse, so it costs what is written."""

REPOSITORY_SERIAL = "hadeploy-repository"
PROBE_WORD = "hadeploy-lab-kernel-runs"
NODE_TREE = "lab-node"
"""Folder in the initrd whose content is laid over the root file system at every boot."""

_MACHINE_PACKAGES = (
    "busybox",
    "dmsetup",
    "e2fsprogs",
    "initramfs-tools",
    "linux-image-cloud-amd64",
    "login",
    "qemu-guest-agent",
    "udev",
)

_STORAGE_PACKAGES = (
    "drbd-utils",
    "e2fsprogs",
    "mariadb-server",
    "nfs-common",
    "nfs-kernel-server",
    "postgresql",
    "sbd",
    "xfsprogs",
)
"""What only a machine with disks can run."""

_MASKED = (
    "dev-hugepages.mount",
    "e2scrub_reap.service",
    "getty@tty1.service",
    "serial-getty@ttyS0.service",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "modprobe@dm_mod.service",
    "modprobe@drm.service",
    "modprobe@fuse.service",
    "modprobe@loop.service",
    "proc-sys-fs-binfmt_misc.automount",
    "systemd-binfmt.service",
    "systemd-pstore.service",
    "systemd-timesyncd.service",
    "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service",
)
"""Units that a boot under emulation need not pay for."""

_GENERATORS = (
    "bless-boot",
    "cryptsetup",
    "debug",
    "gpt-auto",
    "hibernate-resume",
    "integritysetup",
    "veritysetup",
)
"""Programs that systemd starts at every boot to look for what these machines never have."""

_SETUP = f"""set -eu
root="$1"; shift
mkdir -p "$root{REPOSITORY_IN_NODE}" "$root/etc/ssh/lab" "$root/etc/lab"
printf '/dev/disk/by-id/virtio-{REPOSITORY_SERIAL} {REPOSITORY_IN_NODE} ext4 ro,nofail,noatime 0 0\\n' > "$root/etc/fstab"

# Nobody manages the interfaces afterwards: what floats is the cluster's.
cat > "$root/etc/systemd/system/lab-network.service" <<'END'
[Unit]
Description=Addresses of this node in the lab
DefaultDependencies=no
Before=network-pre.target network.target
Wants=network-pre.target network.target
After=systemd-udevd.service local-fs.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=ip -batch /etc/lab/interfaces

[Install]
WantedBy=multi-user.target
END
chroot "$root" systemctl enable -q lab-network.service

# A shell without a login: a login's session costs seconds under emulation.
cat > "$root/etc/systemd/system/lab-console.service" <<'END'
[Unit]
Description=Root shell on the serial console

[Service]
ExecStart=/bin/bash -l
Environment=TERM=vt220 HOME=/root
WorkingDirectory=/root
Restart=always
RestartSec=0
StandardInput=tty
TTYPath=/dev/ttyS0
TTYReset=yes
TTYVHangup=yes
KillMode=process
IgnoreSIGPIPE=no
KillSignal=SIGHUP

[Install]
WantedBy=multi-user.target
END
chroot "$root" systemctl enable -q lab-console.service

# Root's session manager is there once, and not started anew for every command over SSH.
mkdir -p "$root/var/lib/systemd/linger"
touch "$root/var/lib/systemd/linger/root"

printf 'MODULES=list\\nRESUME=none\\n' > "$root/etc/initramfs-tools/conf.d/lab"
printf 'virtio_pci\\nvirtio_blk\\next4\\ncrc32c_generic\\n' >> "$root/etc/initramfs-tools/modules"
cat > "$root/etc/initramfs-tools/scripts/init-top/lab" <<'END'
#!/bin/sh
[ "$1" = prereqs ] && exit 0
case " $(cat /proc/cmdline) " in *" lab.probe "*) echo {PROBE_WORD} > /dev/console; poweroff -f ;; esac
END
cat > "$root/etc/initramfs-tools/scripts/init-bottom/lab" <<'END'
#!/bin/sh
[ "$1" = prereqs ] && exit 0
[ -d /{NODE_TREE} ] && cp -a /{NODE_TREE}/. "$rootmnt/"
exit 0
END
chmod 755 "$root"/etc/initramfs-tools/scripts/*/lab
chroot "$root" update-initramfs -u -k all > /dev/null
rm -rf "$root"/usr/share/doc/* "$root"/usr/share/locale/*

mkdir -p "$root/etc/systemd/system-generators"
for generator in {" ".join(_GENERATORS)}; do
  ln -s /dev/null "$root/etc/systemd/system-generators/systemd-$generator-generator"
done
# Nothing under /usr is newer than what was made of it: systemd.unit(5), ConditionNeedsUpdate.
touch -r "$root/usr" "$root/etc/.updated" "$root/var/.updated"
"""


@cache
def machine_recipe(release: str) -> Recipe:
    """The recipe of a release's machine.

    Raises:
        LabError: the release is unknown.
    """
    suite = suite_of(release)
    return Recipe(
        "machine",
        release,
        suite.name,
        (*suite.packages, *_STORAGE_PACKAGES),
        (*BASE_PACKAGES, *_MACHINE_PACKAGES),
        (*TIMERS_WITHOUT_MEANING, *_MASKED),
        (_SETUP, ROOT_SIZE, *INSTALLED),
    )


def root_image(recipe: Recipe, *, installed: bool) -> Path:
    """The root file system that a machine's disk is written over, bare or with what roles install."""
    return recipe.folder / ("installed.qcow2" if installed else "root.qcow2")


def repository_image(recipe: Recipe) -> Path:
    """The repository as a read-only disk."""
    return recipe.folder / "repository.ext4"


def kernel(recipe: Recipe) -> Path:
    """The kernel of the image, outside it."""
    return recipe.folder / "vmlinuz"


def initrd(recipe: Recipe) -> Path:
    """The initrd of the image, outside it."""
    return recipe.folder / "initrd.img"


def ensure_machine_image(release: str, tell: Tell) -> Recipe:
    """Build a release's image unless it is there.

    Raises:
        LabError: the release is unknown, or the build failed.
    """
    recipe = machine_recipe(release)
    ensure_built(recipe, lambda fresh: _build(recipe, fresh), tell)
    return recipe


def _build(recipe: Recipe, fresh: Path) -> None:
    tree = fresh / "root"
    hook = fresh / "machine.sh"
    hook.write_text(_SETUP, encoding="utf-8")
    hook.chmod(0o755)
    bootstrap(recipe, fresh, tree, form="directory", hooks=[str(hook)])
    for name, wanted in (("vmlinuz", "vmlinuz-*"), ("initrd.img", "initrd.img-*")):
        found = sorted((tree / "boot").glob(wanted))
        if len(found) != 1:
            raise LabError("LAB031", f"the image of {recipe.release} has {len(found)} of /boot/{wanted}")
        shutil.copyfile(found[0], fresh / name)
    _file_system(tree, fresh / "root.qcow2")
    install_at_rest(tree, fresh / "repository", recipe.packages)
    _file_system(tree, fresh / "installed.qcow2")
    shutil.rmtree(tree)
    size = sum(file.stat().st_size for file in (fresh / "repository").iterdir())
    pack = ["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", str(fresh / "repository")]
    run([*pack, str(fresh / "repository.ext4"), f"{size * 11 // 10 // 1024 + 8192}K"], seconds=300)


def _file_system(tree: Path, image: Path) -> None:
    """Pack a tree as a disk."""
    raw = image.with_suffix(".raw")
    # Without lazy initialisation the kernel would write the rest of the tables while a scenario is measured.
    make = ["mke2fs", "-q", "-t", "ext4", "-L", "root", "-E", "lazy_itable_init=0,nodiscard", "-m", "0"]
    run([*make, "-d", str(tree), str(raw), ROOT_SIZE], seconds=300)
    run(["qemu-img", "convert", "-O", "qcow2", str(raw), str(image)], seconds=300)
    raw.unlink()
