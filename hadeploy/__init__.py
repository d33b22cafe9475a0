"""hadeploy: from one typed topology.yaml to a highly available cluster that really fails over."""

__version__ = "0.1.0.dev0"
