"""Artifacts to a plain Ansible project on disk, which runs without hadeploy too."""
