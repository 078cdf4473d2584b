from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "journeys"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "enrolment"))

from api_deployment import deployment
from label_world import image_processes
from sight_story import captures, story, told

__all__ = ["captures", "deployment", "image_processes", "story", "told"]
