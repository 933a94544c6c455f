"""Client of Weft: events in, link predictions out."""

from weft_client.client import Client, Event, Feed, Ranked, Ranking, Reject, Score
from weft_client.errors import FieldViolation, WeftError

__all__ = [
    "Client",
    "Event",
    "Feed",
    "FieldViolation",
    "Ranked",
    "Ranking",
    "Reject",
    "Score",
    "WeftError",
]
