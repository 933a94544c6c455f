"""WeftError and the google.rpc details that it is made from (rpc/weft/v1/error.proto)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

import grpc
from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    message_factory,
    text_format,
)

# The part of google/rpc/{status,error_details}.proto that the server sends.
_FILE = """
name: "weft_client/error_details.proto" package: "google.rpc" syntax: "proto3"
dependency: "google/protobuf/any.proto" dependency: "google/protobuf/duration.proto"
message_type { name: "Status"
  field { name: "details" number: 3 label: LABEL_REPEATED type: TYPE_MESSAGE
          type_name: ".google.protobuf.Any" } }
message_type { name: "ErrorInfo"
  field { name: "reason" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "domain" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "metadata" number: 3 label: LABEL_REPEATED type: TYPE_MESSAGE
          type_name: ".google.rpc.ErrorInfo.MetadataEntry" }
  nested_type { name: "MetadataEntry" options { map_entry: true }
    field { name: "key" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
    field { name: "value" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING } } }
message_type { name: "RetryInfo"
  field { name: "retry_delay" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE
          type_name: ".google.protobuf.Duration" } }
message_type { name: "BadRequest"
  field { name: "field_violations" number: 1 label: LABEL_REPEATED type: TYPE_MESSAGE
          type_name: ".google.rpc.BadRequest.FieldViolation" }
  nested_type { name: "FieldViolation"
    field { name: "field" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
    field { name: "description" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING } } }
"""


def _message_classes() -> Dict[str, type]:
    """In a pool of their own: a program may have googleapis-common-protos loaded beside this."""
    pool = descriptor_pool.DescriptorPool()
    for module in (any_pb2, duration_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    file = text_format.Parse(_FILE, descriptor_pb2.FileDescriptorProto())
    pool.AddSerializedFile(file.SerializeToString())
    if hasattr(message_factory, "GetMessageClass"):
        get_class = message_factory.GetMessageClass
    else:  # protobuf before 4.22
        get_class = message_factory.MessageFactory(pool).GetPrototype
    names = ("Status", "ErrorInfo", "RetryInfo", "BadRequest")
    return {name: get_class(pool.FindMessageTypeByName(f"google.rpc.{name}")) for name in names}


_CLASSES = _message_classes()


@dataclass(frozen=True)
class FieldViolation:
    """What is wrong with one field of the request."""

    field: str
    description: str


class WeftError(Exception):
    """What the server answered in place of a result."""

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        reason: str,
        metadata: Dict[str, str],
        violations: Tuple[FieldViolation, ...],
        retry_seconds: Optional[float],
    ):
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message
        # A weft.v1.ErrorReason without its prefix, for example "DISK_FULL"; empty if there is none.
        self.reason = reason
        # What the reason says more.
        self.metadata = metadata
        # The fields of the request that are wrong.
        self.violations = violations
        # After how long it is worth trying again; None if that would not help.
        self.retry_seconds = retry_seconds


def from_rpc_error(error: grpc.RpcError) -> WeftError:
    """The error of a call with its details, as far as the server gave any."""
    details = {}
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in _CLASSES["Status"].FromString(value).details:
                name = detail.type_url.rsplit(".", 1)[-1]
                if name in _CLASSES:
                    details[name] = _CLASSES[name].FromString(detail.value)
    info = details.get("ErrorInfo", _CLASSES["ErrorInfo"]())
    request = details.get("BadRequest", _CLASSES["BadRequest"]())
    retry_seconds = None
    if "RetryInfo" in details:
        delay = details["RetryInfo"].retry_delay
        retry_seconds = delay.seconds + delay.nanos * 1e-9
    violations = tuple(
        FieldViolation(violation.field, violation.description)
        for violation in request.field_violations
    )
    return WeftError(
        error.code(),
        error.details() or "",
        info.reason,
        dict(info.metadata),
        violations,
        retry_seconds,
    )
