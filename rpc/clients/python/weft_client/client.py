"""Thin, typed layer over the generated stubs of weft.v1.

Errors of the server are raised as WeftError (errors.py).
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field
from typing import Iterable, Iterator, Optional, Sequence, Tuple, Union

import grpc

from weft.v1 import (
    admin_pb2,
    admin_pb2_grpc,
    ingest_pb2,
    ingest_pb2_grpc,
    link_pb2,
    link_pb2_grpc,
    position_pb2,
)
from weft_client.errors import WeftError, from_rpc_error
from weft_client.hierarchy import Hierarchy
from weft_client.series import Series

Key = Union[str, int]


def _reason(number: int) -> str:
    try:
        return ingest_pb2.RejectReason.Name(number)[len("REJECT_REASON_") :]
    except ValueError:  # of a newer server
        return str(number)


@dataclass(frozen=True)
class Event:
    """One interaction. `time_us` is event time in microseconds."""

    source: Key
    target: Key
    time_us: int
    label: Optional[float] = None
    features: Sequence[float] = ()


@dataclass(frozen=True)
class Reject:
    """Event `seq` of the producer was not accepted; `reason` is for example "LATE"."""

    seq: int
    reason: str


@dataclass(frozen=True)
class Score:
    """Higher is likelier; a probability if the model gives such."""

    score: float
    source_known: bool
    target_known: bool


@dataclass(frozen=True)
class Ranked:
    """A target with its score."""

    target: str
    score: float


@dataclass(frozen=True)
class Ranking:
    """The best targets. `cut`: there were more candidates than were scored."""

    targets: Tuple[Ranked, ...]
    cut: bool
    model: str
    model_version: int
    # Of a call with a coverage.
    coverage: Optional[link_pb2.CoverageSet] = None


def _row_bytes(event: Event) -> int:
    """At most what an event takes of a message besides its features: keys, their places, time."""
    return 40 + len(str(event.source).encode()) + len(str(event.target).encode())


def _columns(events: Sequence[Event], first_seq: int) -> ingest_pb2.EventColumns:
    columns = ingest_pb2.EventColumns(first_seq=first_seq)
    index: dict = {}
    for event in events:
        for key, column in ((event.source, columns.source), (event.target, columns.target)):
            column.append(index.setdefault(str(key), len(index)))
        columns.time_us.append(event.time_us)
    columns.key.extend(index)
    if any(event.label is not None for event in events):
        columns.label.extend(event.label or 0.0 for event in events)
    width = max((len(event.features) for event in events), default=0)
    if width > 0:
        columns.feature_count = width
        for event in events:
            columns.feature.extend(event.features)
            columns.feature.extend([0.0] * (width - len(event.features)))
    return columns


class Feed:
    """An open Ingest stream of one producer. Not for use from several threads."""

    def __init__(
        self,
        stub: ingest_pb2_grpc.IngestServiceStub,
        feed: str,
        producer: str,
        resume: bool,
        batch_events: int,
    ):
        self._outgoing: "queue.Queue[Optional[ingest_pb2.IngestRequest]]" = queue.Queue()
        self._events: list = []
        self._rows_bytes = 0  # of these, without their features
        self._width = 0  # the most features of one of these
        self._changed = threading.Condition()
        self._failure: Optional[WeftError] = None
        self._ended = False
        self._position: Optional[position_pb2.LogPosition] = None
        self.rejects: list = []
        self.applied_seq = 0
        hello = ingest_pb2.IngestHello(feed=feed, producer=producer, resume=resume)
        self._outgoing.put(ingest_pb2.IngestRequest(hello=hello))
        self._stream = stub.Ingest(iter(self._outgoing.get, None))
        try:
            welcome = next(self._stream).welcome
        except grpc.RpcError as error:
            self._outgoing.put(None)
            raise from_rpc_error(error) from None
        # Where a resumed producer goes on; the digest of the event before (see ingest.proto).
        self.next_seq: int = welcome.next_seq
        self.last_event_digest: int = welcome.last_event_digest
        self.durable_seq: int = welcome.next_seq
        self._limit_seq: int = welcome.next_seq + welcome.credits
        self._batch_events = min(batch_events, welcome.limits.batch_events)
        self._message_bytes = welcome.limits.message_bytes
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        failure = None
        try:
            for response in self._stream:
                with self._changed:
                    ack = response.ack
                    self.durable_seq = ack.durable_seq
                    self.applied_seq = ack.applied_seq
                    self._limit_seq = max(self._limit_seq, ack.durable_seq + ack.credits)
                    if ack.HasField("position"):
                        self._position = ack.position
                    for reject in ack.reject:
                        self.rejects.append(Reject(reject.seq, _reason(reject.reason)))
                    self._changed.notify_all()
        except grpc.RpcError as error:
            failure = from_rpc_error(error)
        with self._changed:
            self._failure = failure
            self._ended = True
            self._changed.notify_all()

    def _wait(self, reached) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or reached())
            if self._failure is not None:
                raise self._failure

    def add(self, event: Event) -> None:
        """Adds an event and sends what makes a full batch; waits while there are no credits."""
        width = max(self._width, len(event.features))
        rows_bytes = self._rows_bytes + _row_bytes(event)
        # A batch has the features of its widest event for each of its events.
        if rows_bytes + 4 * width * (len(self._events) + 1) > self._message_bytes // 2:
            self.flush()
            width, rows_bytes = len(event.features), _row_bytes(event)
        self._events.append(event)
        self._width, self._rows_bytes = width, rows_bytes
        if len(self._events) >= self._batch_events:
            self.flush()

    def flush(self) -> None:
        """Sends what has been added."""
        if not self._events:
            return
        self._wait(lambda: self._limit_seq > self.next_seq)
        columns = _columns(self._events, self.next_seq)
        self.next_seq += len(self._events)
        self._events, self._rows_bytes, self._width = [], 0, 0
        self._outgoing.put(ingest_pb2.IngestRequest(batch=columns))

    def wait_durable(self) -> None:
        """Flushes and waits until everything survives a crash of the server."""
        self.flush()
        self._wait(lambda: self.durable_seq >= self.next_seq)

    def wait_applied(self) -> None:
        """Flushes and waits until predictions see everything."""
        self.flush()
        self._wait(lambda: self.applied_seq >= self.next_seq)

    @property
    def position(self) -> Optional[position_pb2.LogPosition]:
        """After the last durable event; for min_position of a read."""
        return self._position

    def close(self) -> None:
        """Waits until everything is durable, then ends the stream."""
        try:
            self.wait_durable()
        finally:
            self._outgoing.put(None)
            self._reader.join()

    def __enter__(self) -> "Feed":
        return self

    def __exit__(self, kind, error, trace) -> None:
        if kind is None:
            self.close()
        else:
            self._stream.cancel()
            self._outgoing.put(None)


@dataclass
class Client:
    """A connection to a server. May be used from several threads."""

    address: str
    deadline_seconds: float = 5.0
    _channel: grpc.Channel = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._channel = grpc.insecure_channel(self.address)
        self._ingest = ingest_pb2_grpc.IngestServiceStub(self._channel)
        self._link = link_pb2_grpc.LinkServiceStub(self._channel)
        self._admin = admin_pb2_grpc.AdminServiceStub(self._channel)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self._channel.close()

    def _call(self, method, request):
        try:
            return method(request, timeout=self.deadline_seconds)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    def ingest(
        self, feed: str, producer: str, resume: bool = False, batch_events: int = 1024
    ) -> Feed:
        """Opens a stream into a feed; use it in a `with` statement."""
        return Feed(self._ingest, feed, producer, resume, batch_events)

    def score_links(
        self,
        pairs: Iterable[Tuple[Key, Key]],
        node: str = "",
        min_position: Optional[position_pb2.LogPosition] = None,
    ) -> Tuple[Score, ...]:
        """Scores pairs of nodes for an interaction right now."""
        request = link_pb2.ScoreLinksRequest(node=node, min_position=min_position)
        for source, target in pairs:
            request.pair.add(source=str(source), target=str(target))
        response = self._call(self._link.ScoreLinks, request)
        return tuple(Score(s.score, s.source_known, s.target_known) for s in response.score)

    def rank_targets(
        self,
        source: Key,
        top_k: int = 10,
        targets: Iterable[Key] = (),
        node: str = "",
        min_position: Optional[position_pb2.LogPosition] = None,
        coverage: float = 0.0,
    ) -> Ranking:
        """The likeliest next targets of a node, among `targets` or all that are known. With a
        coverage: those of a set that should hold the next one with this probability; top_k 0 for
        up to 1000 of it."""
        request = link_pb2.RankTargetsRequest(
            source=str(source),
            top_k=top_k,
            node=node,
            target=[str(target) for target in targets],
            min_position=min_position,
            coverage=coverage,
        )
        response = self._call(self._link.RankTargets, request)
        return Ranking(
            tuple(Ranked(t.target, t.score) for t in response.target),
            response.cut,
            response.model.name,
            response.model.version,
            response.coverage if response.HasField("coverage") else None,
        )

    def predictions(
        self, output: str = "", sources: Iterable[Key] = ()
    ) -> Iterator[link_pb2.SubscribePredictionsResponse]:
        """The scores of events as they come in, until the iteration is given up."""
        request = link_pb2.SubscribePredictionsRequest(
            output=output, source=[str(source) for source in sources]
        )
        stream = self._link.SubscribePredictions(request)
        try:
            yield from stream
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        finally:
            stream.cancel()

    def hierarchy(self, node: str = "") -> Hierarchy:
        """What happened, at every time scale; of the first node that keeps a hierarchy unless one
        is named."""
        return Hierarchy(self._channel, node, self.deadline_seconds)

    def series(self, node: str = "") -> Series:
        """How unusual records of series are, and what comes next; of the first node that follows
        series unless one is named."""
        return Series(self._channel, node, self.deadline_seconds)

    def server_info(self) -> admin_pb2.GetServerInfoResponse:
        """Version, limits, feeds and how far they have come."""
        return self._call(self._admin.GetServerInfo, admin_pb2.GetServerInfoRequest())

    def state_hash(self) -> str:
        """Hash over all exact state."""
        return self._call(self._admin.GetStateHash, admin_pb2.GetStateHashRequest()).state_hash
