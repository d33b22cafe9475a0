"""corosync-qnetd: the arbiter's own daemon, on a host outside the cluster."""
