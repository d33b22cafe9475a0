"""Real nodes on this machine: containers with systemd and sshd, networks, BMCs, faults. Needs root."""
