"""Proofs before the first connection: what a design does when parts of it fail.

Pure: a proof makes jobs (arguments, input, how to read the verdict) and judges their outcomes; ``run/`` executes them.
"""
