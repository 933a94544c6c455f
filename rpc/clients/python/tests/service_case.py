"""A test with a real service (WEFT, the program) and a client of it."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from weft_client import Client

GRAPHS = pathlib.Path(__file__).resolve().parents[4] / "deploy" / "graphs"


class ServiceCase(unittest.TestCase):
    ARGUMENTS: tuple = ()  # of `weft serve`, besides where it is

    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.server = subprocess.Popen(
            [os.environ["WEFT"], "serve", "--data-dir", self.place.name, *self.ARGUMENTS]
            + ["--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.client = Client(json.loads(self.server.stdout.readline())["address"], 30.0)

    def tearDown(self):
        self.client.close()
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(timeout=60), 0)
        self.server.stdout.close()
        self.place.cleanup()
