"""Simulated labels, captures and attacks, seeded: what the methods are measured on. Pure."""
