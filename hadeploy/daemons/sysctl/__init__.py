"""Kernel settings that the design needs, and no others."""
