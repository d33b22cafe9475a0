"""nginx: one process tree a site, so that groups start, stop and fail alone."""
