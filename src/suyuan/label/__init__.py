"""Labels told apart by their image: is this the label that was enrolled under this code? Pure.

Two kinds of label: a pattern in ordinary print, read from one photo (track A), and a label whose look changes with
the angle, read from a short clip under a torch (track B). Both are compared with the record of their own
enrolment. Images come in, features and scores go out. What needs NumPy and OpenCV (the extra ``label``) is imported
from its own module, so that a server that checks nothing carries neither.
"""

from suyuan.label.model import REASONS, Answer, Placement, Track, Verdict

__all__ = ["REASONS", "Answer", "Placement", "Track", "Verdict"]
