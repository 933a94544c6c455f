"""Starts the real program and talks to it: what the end-to-end tests share."""

import json
import os
import pathlib
import select
import signal
import subprocess
import urllib.error
import urllib.request

STOP_SECONDS = 60


def data_folder():
    """The folder of real data sets, or None."""
    folder = pathlib.Path(
        os.environ.get("WEFT_DATA", pathlib.Path(__file__).parents[2] / "../shared/data")
    )
    return folder.resolve() if (folder / "graphs").is_dir() else None


class Service:
    """One `weft serve` process on free ports, over a data directory of the caller's."""

    def __init__(self, weft, data_dir, *flags):
        self._command = [weft, "serve", "--data-dir", str(data_dir), "--json", *flags]
        self._listen = ["--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"]
        self.process = None
        self.log = None  # a file for what it says on stderr

    def start(self):
        """Returns once it serves; a restart takes the ports that it had."""
        self.begin()
        return self.wait_ready()

    def begin(self):
        """Starts it and does not wait for it; only a restart has known ports while it recovers."""
        self.process = subprocess.Popen(
            self._command + self._listen, stdout=subprocess.PIPE, stderr=self.log, text=True
        )

    def wait_ready(self):
        ready, _, _ = select.select([self.process.stdout], [], [], STOP_SECONDS)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            raise RuntimeError(
                f"{' '.join(self._command)} did not start (exit {self.process.poll()})"
            )
        said = json.loads(line)
        self.address, self.http_address = said["address"], said["http_address"]
        self._listen = ["--listen", self.address, "--http-listen", self.http_address]
        return self

    def call(self, method, request=None):
        """One unary RPC over JSON: call("AdminService/GetStateHash")."""
        http = urllib.request.Request(
            f"http://{self.http_address}/weft.v1.{method}",
            data=json.dumps(request or {}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(http, timeout=STOP_SECONDS) as response:
            return json.load(response)

    def probe(self, path):
        """HTTP status of /livez or /readyz; None if nobody listens."""
        try:
            with urllib.request.urlopen(
                f"http://{self.http_address}{path}", timeout=STOP_SECONDS
            ) as response:
                return response.status
        except urllib.error.HTTPError as error:
            return error.code
        except (urllib.error.URLError, ConnectionError):
            return None

    def metric(self, name):
        """The sum of a metric over its labels; 0 if it is not there."""
        with urllib.request.urlopen(
            f"http://{self.http_address}/metrics", timeout=STOP_SECONDS
        ) as response:
            lines = response.read().decode().splitlines()
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in lines
            if line.split("{")[0].split(" ")[0] == name
        )

    def kill(self):
        """As a power cut would: SIGKILL."""
        self.process.kill()
        self.process.wait()

    def drain(self):
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=STOP_SECONDS)
