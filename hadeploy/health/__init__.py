"""Facts of hosts held against a design: what does not hold, on which host, and what to do."""
