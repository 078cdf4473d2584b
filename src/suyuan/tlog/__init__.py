"""Transparency log formats: bytes in, bytes out.

Merkle trees as RFC 6962 and RFC 9162 hash them, tiles, signed notes, checkpoints, cosignatures, proof files
and trust policies as C2SP writes them. Nothing here reads a clock, a disk or a network: ``suyuan.log`` keeps
the log, and verifiers need only this package.
"""
