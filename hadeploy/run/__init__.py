"""The only place with Ansible, SSH and programs."""
