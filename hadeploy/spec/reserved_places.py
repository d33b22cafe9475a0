"""Folders over which nothing is mounted: what lies below a mount point cannot be seen."""

from __future__ import annotations

_WHOLE = """
/bin /boot /dev /lib /lib32 /lib64 /libx32 /proc /run /sbin /sys /lost+found /usr/bin /usr/include /usr/lib
/usr/lib32 /usr/lib64 /usr/libexec /usr/sbin /usr/lib/ocf /usr/share/pacemaker /usr/local/bin /usr/local/sbin
/usr/local/lib /etc/alternatives /etc/apt /etc/corosync /etc/cron.d /etc/dbus-1 /etc/default /etc/drbd.d
/etc/hadeploy /etc/haproxy /etc/init.d /etc/iproute2 /etc/keepalived /etc/ld.so.conf.d /etc/lvm /etc/modprobe.d
/etc/modules-load.d /etc/netplan /etc/network /etc/NetworkManager /etc/pacemaker /etc/pam.d /etc/profile.d
/etc/security /etc/ssh /etc/ssl /etc/sudoers.d /etc/sysctl.d /etc/sysconfig /etc/systemd /etc/udev /etc/dpkg
/etc/pki /etc/ca-certificates /etc/skel /root/.ansible /root/.ssh /tmp /var/cache/apt /var/lib/apt
/var/lib/corosync /var/lib/dpkg /var/lib/dbus /var/lib/drbd /var/lib/hadeploy /var/lib/heartbeat /var/lib/pacemaker
/var/lib/pcsd /var/lib/polkit-1 /var/lib/systemd /var/lib/ucf /var/lock /var/log/journal /var/log/pacemaker
/var/log/corosync /var/log/cluster /var/run /var/tmp
"""
WHOLE = tuple(_WHOLE.split())
"""The system's and the cluster's: these, all that is below them, and all above them."""

FILES = (
    "/etc/fstab",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/nftables.conf",
)
FILES_OF_DAEMONS = (
    "/etc/drbd.conf",
    "/etc/sudoers",
    "/etc/resolv.conf",
    "/etc/machine-id",
    "/etc/nsswitch.conf",
)

THEMSELVES = ("/usr/share", "/home", "/root", "/var/cache", "/var/log", "/var/spool", "/var/backups")
"""Parts of the system that are not replaced as a whole; a folder within may be."""

DATABASES = ("/etc/postgresql", "/var/lib/postgresql", "/var/log/postgresql")
"""Where the instances of ``databases`` have their files."""


def in_the_way(place: str, *, databases: bool = False) -> str:
    """Why nothing is mounted over a folder, in a sentence; empty where it may be.

    Args:
        place: absolute and normalized.
        databases: whether hadeploy keeps database instances on the nodes.
    """
    kept = (*WHOLE, *FILES, *FILES_OF_DAEMONS, *(DATABASES if databases else ()))
    for each in kept:
        if _at_or_below(place, each):
            return f"{each} is needed by the system or the cluster on every node, also where the volume is not mounted"
    hidden = [each for each in (*kept, *THEMSELVES) if _at_or_below(each, place)]
    if hidden:
        named = [each for each in hidden if "pacemaker" in each or "hadeploy" in each] or hidden
        return (
            f"it hides {named[0]} and all else in {place} while it is mounted"
            if place != named[0]
            else (f"it hides what the system has in {place} while it is mounted")
        )
    return ""


def _at_or_below(place: str, folder: str) -> bool:
    return place == folder or place.startswith(f"{folder.rstrip('/')}/")
