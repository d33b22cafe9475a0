"""Nodes as virtual machines: a kernel, disks and a hardware clock of their own."""
