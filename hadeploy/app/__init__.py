"""One function a verb: the only place that composes stages."""
