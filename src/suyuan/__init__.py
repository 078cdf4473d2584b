"""Suyuan (溯源): open, verifiable traceability for goods that cross a border to a consumer."""

__version__ = "0.1.0"
