"""systemd units of hosted services: enabled here, or left to Pacemaker."""
