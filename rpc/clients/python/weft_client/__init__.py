"""Client of Weft: events in, link predictions and episodes out."""

from weft_client.client import Client, Event, Feed, Ranked, Ranking, Reject, Score
from weft_client.errors import FieldViolation, WeftError
from weft_client.hierarchy import Hierarchy

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
    "WeftError",
]
