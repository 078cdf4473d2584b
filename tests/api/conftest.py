from api_deployment import deployment
from sight_story import captures, story, told

__all__ = ["captures", "deployment", "story", "told"]
