"""Calls the service with nothing but what it says of itself. usage: reflection_test.py WEFT

What grpcurl, `buf curl` and other generic clients do: lists the services by reflection, fetches
their descriptors and calls methods through them.
"""

import json
import signal
import subprocess
import sys
import tempfile
import unittest

import grpc
from google.protobuf import descriptor_database, descriptor_pb2, descriptor_pool
from google.protobuf import json_format, message_factory

WEFT = sys.argv[1]
REFLECTION = "grpc.reflection.v1alpha"

# What is used of Debian's reflection.proto: field name -> (number, type, repeated).
TEXT = descriptor_pb2.FieldDescriptorProto.TYPE_STRING
BYTES = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
MESSAGES = {
    "ServerReflectionRequest": {
        "file_containing_symbol": (4, TEXT, False),
        "list_services": (7, TEXT, False),
    },
    "ServerReflectionResponse": {
        "file_descriptor_response": (4, "FileDescriptorResponse", False),
        "list_services_response": (6, "ListServiceResponse", False),
    },
    "FileDescriptorResponse": {"file_descriptor_proto": (1, BYTES, True)},
    "ListServiceResponse": {"service": (1, "ServiceResponse", True)},
    "ServiceResponse": {"name": (1, TEXT, False)},
}


def reflection_file():
    """The descriptor of MESSAGES. The two fields of a request are a oneof: an empty one counts."""
    file = descriptor_pb2.FileDescriptorProto(
        name="reflection.proto", package=REFLECTION, syntax="proto3"
    )
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        if name == "ServerReflectionRequest":
            message.oneof_decl.add(name="message_request")
        for field_name, (number, kind, repeated) in fields.items():
            field = message.field.add(name=field_name, number=number)
            field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
            if isinstance(kind, str):
                field.type, field.type_name = field.TYPE_MESSAGE, f".{REFLECTION}.{kind}"
            else:
                field.type = kind
            if message.oneof_decl:
                field.oneof_index = 0
    return file


class GenericClient:
    """Knows no service before it asks."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)
        self.files = descriptor_database.DescriptorDatabase()
        self.files.Add(reflection_file())
        self.pool = descriptor_pool.DescriptorPool(self.files)
        self.factory = message_factory.MessageFactory(self.pool)

    def message(self, name):
        return self.factory.GetPrototype(self.pool.FindMessageTypeByName(name))

    def ask(self, **question):
        request = self.message(f"{REFLECTION}.ServerReflectionRequest")(**question)
        method = self.channel.stream_stream(
            f"/{REFLECTION}.ServerReflection/ServerReflectionInfo",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=self.message(f"{REFLECTION}.ServerReflectionResponse").FromString,
        )
        return next(method(iter([request]), timeout=30))

    def services(self):
        return [one.name for one in self.ask(list_services="").list_services_response.service]

    def learn(self, symbol):
        """Fetches the file that holds a symbol, and those that it imports."""
        answer = self.ask(file_containing_symbol=symbol).file_descriptor_response
        for file in answer.file_descriptor_proto:
            self.files.Add(descriptor_pb2.FileDescriptorProto.FromString(file))

    def call(self, service, method, **fields):
        """One unary call; the response as JSON would hold it."""
        found = self.pool.FindServiceByName(service).methods_by_name[method]
        stub = self.channel.unary_unary(
            f"/{service}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=self.message(found.output_type.full_name).FromString,
        )
        request = self.message(found.input_type.full_name)(**fields)
        return json_format.MessageToDict(stub(request, timeout=30))


class Reflection(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.server = subprocess.Popen(
            [WEFT, "serve", "--data-dir", self.folder.name, "--listen", "127.0.0.1:0"]
            + ["--http-listen", "none", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.client = GenericClient(json.loads(self.server.stdout.readline())["address"])

    def tearDown(self):
        self.client.channel.close()
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(timeout=60), 0)
        self.server.stdout.close()
        self.folder.cleanup()

    def test_a_generic_client_lists_and_calls_every_service(self):
        ours = {f"weft.v1.{name}Service" for name in ("Admin", "Ingest", "Link")}
        ours.add("grpc.health.v1.Health")
        self.assertLessEqual(ours, set(self.client.services()))
        for service in ours:
            self.client.learn(service)
        health = self.client.call("grpc.health.v1.Health", "Check")
        self.assertEqual(health, {"status": "SERVING"})
        said = self.client.call("weft.v1.AdminService", "GetServerInfo")
        self.assertEqual(said["phase"], "SERVER_PHASE_SERVING")
        ranked = self.client.call("weft.v1.LinkService", "RankTargets", source="nobody")
        self.assertEqual(ranked["model"]["name"], "weft")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
