"""One room a daemon, all with the same doors: config, compile, render, check."""
