"""Pacemaker: fencing, groups, and where they run, as one CIB for the whole cluster."""
