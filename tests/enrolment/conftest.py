from __future__ import annotations

import sys
from pathlib import Path

# What these tests share lies in one folder, whichever of them is run.
sys.path.append(str(Path(__file__).resolve().parents[1] / "journeys"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "cli"))

from command_line import suyuan
from deployment import deployment
from label_world import image_processes, label_world

__all__ = ["deployment", "image_processes", "label_world", "suyuan"]
