"""Faults on real nodes, observed from the network: exactly one owner, the client's outage, what moved."""
