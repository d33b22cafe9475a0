"""PostgreSQL with streaming replication: configured here, started and promoted by Pacemaker alone."""
