"""What runs on a host: sent over SSH and read by the host's own python3. Only reads, never changes.

Kept to the standard library and to what Python 3.7 understands, so that a host with the wrong release can say which one it has.
"""
