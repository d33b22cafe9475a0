"""Sent to a member over SSH and run there by its own Python: prints what its cluster daemons wrote since a moment.

Kept to the standard library, because it runs on hosts that have nothing of hadeploy. Only reads.
"""

import subprocess
import sys

SECONDS = 20
UNITS = ("corosync.service", "pacemaker.service")


def main() -> None:
    """Argument: seconds since the epoch. One line an entry: its time, a space, its text."""
    argv = ["journalctl", "--no-pager", "--quiet", "--output=short-unix", f"--since=@{sys.argv[1]}"]
    argv += [f"--unit={unit}" for unit in UNITS]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return
    sys.stdout.write(done.stdout)


if __name__ == "__main__":
    main()
