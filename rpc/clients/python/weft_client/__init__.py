"""Client of Weft: events in; link predictions, episodes and what is said of series out."""

from weft_client.client import Client, Event, Feed, Ranked, Ranking, Reject, Score
from weft_client.errors import FieldViolation, WeftError
from weft_client.hierarchy import Hierarchy
from weft_client.series import Series

__all__ = [
    "Client",
    "Event",
    "Feed",
    "FieldViolation",
    "Hierarchy",
    "Ranked",
    "Ranking",
    "Reject",
    "Score",
    "Series",
    "WeftError",
]
