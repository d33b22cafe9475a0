"""Corosync: membership, cluster links, votes."""
