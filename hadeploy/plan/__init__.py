"""Desired against observed: what the members report, judged by the design."""
