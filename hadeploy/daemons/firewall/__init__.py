"""nftables: lets in what the design's own flows need, SSH always, and nothing else."""
