"""SBD: the watchdog of a member that hears nothing of its cluster any more, and messages over shared disks."""
