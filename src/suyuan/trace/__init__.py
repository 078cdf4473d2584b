"""Reading: one thing's way, up through what contained it, its lot, what it was made from and its documents.

``read`` (``TraceReader``) is the only exit to the faces and applies the disclosure policy; ``bundles`` makes the
proof of what it shows. Nothing is stored here: containment, custody and state are computed from index rows at
read time, so late and corrected events need no repair.
"""

from suyuan.trace.bundles import make_bundle
from suyuan.trace.read import OPERATOR, PUBLIC, TraceReader, Viewer

__all__ = ["OPERATOR", "PUBLIC", "TraceReader", "Viewer", "make_bundle"]
