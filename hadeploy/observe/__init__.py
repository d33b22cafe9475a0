"""One read-only probe of all hosts, and the typed facts that come of it. Nothing here knows a design."""
