"""The hierarchy of episodes: what happened, at every time scale (rpc/weft/v1/hierarchy.proto).

Requests and answers are the messages of weft.v1.hierarchy; each method takes the fields of its
request as keyword arguments.
"""

from __future__ import annotations

from typing import Iterator, Optional

import grpc

from weft.v1 import hierarchy_pb2, hierarchy_pb2_grpc, position_pb2
from weft_client.errors import from_rpc_error


class Hierarchy:
    """The questions to one hierarchy. May be used from several threads."""

    def __init__(self, channel: grpc.Channel, node: str, deadline_seconds: float):
        self._stub = hierarchy_pb2_grpc.HierarchyServiceStub(channel)
        self._node = node
        self._deadline_seconds = deadline_seconds

    def _ask(
        self,
        method: str,
        as_of_us: Optional[int],
        min_position: Optional[position_pb2.LogPosition],
        fields: dict,
    ):
        request = getattr(hierarchy_pb2, method + "Request")(**fields)
        request.tree.node = self._node
        if as_of_us is not None:
            request.tree.as_of_us = as_of_us
        if min_position is not None:
            request.tree.min_position.CopyFrom(min_position)
        try:
            return getattr(self._stub, method)(request, timeout=self._deadline_seconds)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    def timeline(
        self, as_of_us=None, min_position=None, **fields
    ) -> hierarchy_pb2.TimelineResponse:
        """The episodes of a stretch of time, no more than there is room for: from_us, to_us,
        max_items, level, min_salience, entity, state, max_names."""
        return self._ask("Timeline", as_of_us, min_position, fields)

    def episode(self, id: int, as_of_us=None, **fields) -> hierarchy_pb2.Episode:
        """One episode."""
        return self._ask("GetEpisode", as_of_us, None, {"id": id, **fields}).episode

    def ancestors(self, id: int, as_of_us=None, **fields) -> hierarchy_pb2.AncestorsResponse:
        """The episodes that one is part of, from its parent up: max_level, max_names."""
        return self._ask("Ancestors", as_of_us, None, {"id": id, **fields})

    def descendants(self, id: int, as_of_us=None, **fields) -> hierarchy_pb2.DescendantsResponse:
        """The episodes that are part of one, parents before children: min_level, limit, max_names,
        keep_share."""
        return self._ask("Descendants", as_of_us, None, {"id": id, **fields})

    def at(self, time_us: int, as_of_us=None, **fields) -> hierarchy_pb2.AtResponse:
        """The episodes of one moment, the leaf first."""
        return self._ask("At", as_of_us, None, {"time_us": time_us, **fields})

    def overlaps(
        self, as_of_us=None, min_position=None, **fields
    ) -> hierarchy_pb2.OverlapsResponse:
        """The episodes of a level that have to do with a stretch of time: from_us, to_us, level,
        relation, limit, after_id, max_names."""
        return self._ask("Overlaps", as_of_us, min_position, fields)

    def top(self, as_of_us=None, min_position=None, **fields) -> hierarchy_pb2.TopSalientResponse:
        """The episodes that stand out most: from_us, to_us, level, top_k, order, max_names."""
        return self._ask("TopSalient", as_of_us, min_position, fields)

    def boundaries(
        self, as_of_us=None, min_position=None, **fields
    ) -> hierarchy_pb2.BoundariesResponse:
        """Where episodes of a level begin: from_us, to_us, level, min_strength, limit."""
        return self._ask("Boundaries", as_of_us, min_position, fields)

    def follow(
        self, entity: str, as_of_us=None, min_position=None, **fields
    ) -> hierarchy_pb2.FollowEntityResponse:
        """The episodes that an entity took part in, and with whom: from_us, to_us, level,
        min_share, max_names."""
        return self._ask("FollowEntity", as_of_us, min_position, {"entity": entity, **fields})

    def compare(
        self, id: int, other_id: int, as_of_us=None, **fields
    ) -> hierarchy_pb2.CompareResponse:
        """In what two episodes differ: limit."""
        return self._ask("Compare", as_of_us, None, {"id": id, "other_id": other_id, **fields})

    def similar(self, id: int, as_of_us=None, **fields) -> hierarchy_pb2.SimilarResponse:
        """The episodes whose mix of pairs is most like that of one: level, top_k, from_us, to_us,
        overlapping, max_names."""
        return self._ask("Similar", as_of_us, None, {"id": id, **fields})

    def predict_next(
        self, as_of_us=None, min_position=None, **fields
    ) -> hierarchy_pb2.PredictNextResponse:
        """When the open episode of a level will have ended and who comes next: level, horizon_us,
        top_k, max_names."""
        return self._ask("PredictNext", as_of_us, min_position, fields)

    def subgraph(
        self, as_of_us=None, min_position=None, **fields
    ) -> hierarchy_pb2.SubgraphResponse:
        """Nodes and edges for a picture: id, from_us, to_us, min_level, max_nodes, max_names."""
        return self._ask("Subgraph", as_of_us, min_position, fields)

    def stats(self, as_of_us=None, min_position=None) -> hierarchy_pb2.StatsResponse:
        """How much is kept."""
        return self._ask("Stats", as_of_us, min_position, {})

    def changes(self, **fields) -> Iterator[hierarchy_pb2.SubscribeResponse]:
        """Changes of episodes as they happen, until the iteration is given up: output, level,
        change, min_salience, max_names."""
        return self._receive(self._stub.Subscribe, hierarchy_pb2.SubscribeRequest(**fields))

    def forecasts(self, **fields) -> Iterator[hierarchy_pb2.SubscribeForecastsResponse]:
        """Forecasts as they are made, until the iteration is given up: output, level."""
        return self._receive(
            self._stub.SubscribeForecasts, hierarchy_pb2.SubscribeForecastsRequest(**fields)
        )

    @staticmethod
    def _receive(method, request):
        stream = method(request)
        try:
            yield from stream
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        finally:
            stream.cancel()
