"""``python -m hadeploy``."""

from hadeploy.cli import main

main()
