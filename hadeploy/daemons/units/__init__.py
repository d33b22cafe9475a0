"""systemd units of hosted services: enabled here, left to Pacemaker, or kept from running."""
