"""Series of records: how unusual each is, and what comes next (rpc/weft/v1/sequence.proto).

Answers are the messages of weft.v1.sequence; settings and the rest of a request are keyword
arguments, named as its fields.
"""

from __future__ import annotations

from typing import Iterable, Iterator, Optional, Sequence, Tuple, Union

import grpc

from weft.v1 import position_pb2, sequence_pb2, sequence_pb2_grpc
from weft_client.errors import from_rpc_error

Values = Union[float, Sequence[float]]


class Series:
    """The series that one node of the graph follows. May be used from several threads."""

    def __init__(self, channel: grpc.Channel, node: str, deadline_seconds: float):
        self._stub = sequence_pb2_grpc.SequenceServiceStub(channel)
        self._node = node
        self._deadline_seconds = deadline_seconds

    def _ask(self, method: str, **fields):
        request = getattr(sequence_pb2, method + "Request")(node=self._node, **fields)
        try:
            return getattr(self._stub, method)(request, timeout=self._deadline_seconds)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    def create_model(self, series: str, **settings) -> None:
        """Gives a series a model of its own; it begins anew. model, field, horizon, step_us, seed
        of SequenceSettings."""
        self._ask(
            "CreateModel",
            series=series,
            settings=sequence_pb2.SequenceSettings(**settings),
        )

    def push(
        self, series: str, records: Iterable[Tuple[int, Values]], **fields
    ) -> sequence_pb2.PushResponse:
        """Takes records in, (time in microseconds, value or values) each, at most 1000, and says
        how unusual each is and what comes next: target, producer, first_seq."""
        message = [
            sequence_pb2.SequenceRecord(
                time_us=time_us,
                value=[values] if isinstance(values, (int, float)) else values,
            )
            for time_us, values in records
        ]
        return self._ask("Push", series=series, record=message, **fields)

    def predict(
        self,
        series: str,
        steps: int = 0,
        min_position: Optional[position_pb2.LogPosition] = None,
    ) -> sequence_pb2.PredictResponse:
        """Where a series will be: from 1 to that many records ahead, or the model's horizons."""
        return self._ask("Predict", series=series, steps=steps, min_position=min_position)

    def explain(
        self, series: str, min_position: Optional[position_pb2.LogPosition] = None
    ) -> sequence_pb2.ExplainResponse:
        """Why the latest record is as unusual as was said."""
        return self._ask("Explain", series=series, min_position=min_position)

    def reset(self, series: str, forget_model: bool = False) -> None:
        """A series begins anew."""
        self._ask("Reset", series=series, forget_model=forget_model)

    def list(self, limit: int = 0) -> sequence_pb2.ListSeriesResponse:
        """The series that are followed, those with the latest records first."""
        return self._ask("ListSeries", limit=limit)

    def alarms(self, **fields) -> Iterator[sequence_pb2.SubscribeAlarmsResponse]:
        """Alarms as they come from this call on, until the iteration is given up: output, series,
        min_score, every_record."""
        stream = self._stub.SubscribeAlarms(sequence_pb2.SubscribeAlarmsRequest(**fields))
        stream.initial_metadata()  # the server has taken the subscription
        return self._receive(stream)

    @staticmethod
    def _receive(stream):
        try:
            yield from stream
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        finally:
            stream.cancel()
