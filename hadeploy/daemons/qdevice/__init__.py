"""corosync-qdevice: each member's line to the arbiter. Its options stand in corosync.conf, under quorum.device."""
