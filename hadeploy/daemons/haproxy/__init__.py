"""HAProxy: spreads clients over servers and goes round the dead ones."""
