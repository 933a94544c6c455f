"""The program as the tests of this folder call it: argv[1] is weft, argv[2] the repository."""

import json
import pathlib
import signal
import subprocess
import sys

import jsonschema

WEFT = pathlib.Path(sys.argv[1])
ROOT = pathlib.Path(sys.argv[2]).resolve()


def run(*arguments, code=0, stdin=None, seconds=120):
    done = subprocess.run(
        [WEFT, *arguments], capture_output=True, text=True, input=stdin, timeout=seconds
    )
    if done.returncode != code:
        raise AssertionError(
            f"weft {arguments}: expected exit code {code}, got {done.returncode}: {done.stderr}"
        )
    return done


def check(name, value):
    """Returns a JSON value that obeys the schema."""
    jsonschema.validate(
        value, json.loads((ROOT / "docs" / "json" / f"{name}.schema.json").read_text())
    )
    return value


def serve(data_dir, *flags):
    """The process, and what it says of itself: `address`, `http_address`, `pid`."""
    server = subprocess.Popen(
        [
            WEFT,
            "serve",
            "--data-dir",
            data_dir,
            "--listen",
            "127.0.0.1:0",
            "--http-listen",
            "127.0.0.1:0",
            "--json",
            *flags,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return server, check("serve", json.loads(server.stdout.readline()))


def drain(server):
    server.send_signal(signal.SIGTERM)
    code = server.wait(timeout=60)
    server.stdout.close()
    if code != 0:
        raise AssertionError(f"weft serve: expected exit code 0, got {code}")
