"""Client of Weft: events in, link predictions out."""

from weft_client.client import Client, Event, Feed, Ranked, Ranking, Reject, Score, WeftError

__all__ = ["Client", "Event", "Feed", "Ranked", "Ranking", "Reject", "Score", "WeftError"]
