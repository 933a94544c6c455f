"""What the end-to-end tests expect, and how they say that it was not so."""

import collections
import json
import pathlib
import subprocess
import tempfile

import jsonschema

SCHEMAS = pathlib.Path(__file__).parents[2] / "docs" / "json"


def expect(what, got, expected):
    if got != expected:
        raise AssertionError(f"{what}: expected {expected!r}, got {got!r}")


def expect_in(what, part, text):
    if part not in text:
        raise AssertionError(f"{what}: expected {part!r} in {text!r}")


def check_schema(name, value):
    """`value` obeys docs/json/NAME.schema.json."""
    jsonschema.validate(value, json.loads((SCHEMAS / f"{name}.schema.json").read_text()))


def events_in_log(weft, data):
    """How many events of each producer the log of a data directory has: each once and in order."""
    log = subprocess.run([weft, "data", "log", str(data), "--json"], capture_output=True, text=True)
    expect(f"exit code of weft data log ({log.stderr.strip()})", log.returncode, 0)
    ends = collections.Counter()
    for record in map(json.loads, log.stdout.splitlines()):
        if record["kind"] != "events":
            continue
        name = record["producer"]
        expect(f"first event of a record of {name}", record["first_seq"], ends[name])
        ends[name] += record["seq_count"]
        expect(f"events of a record of {name}", record["events"], record["seq_count"])
    return dict(ends)


def state_hash_of_log(weft, graph, data):
    """Hash of the state that `weft run` makes of the log of a data directory."""
    replayed = subprocess.run(
        [weft, "run", graph, "--log", str(data), "--json"], capture_output=True, text=True
    )
    expect(f"exit code of weft run --log ({replayed.stderr.strip()})", replayed.returncode, 0)
    return json.loads(replayed.stderr)["state_hash"]


def run_in_folder(prefix, make_test):
    """Runs a test (`run`, `service`) in a folder of its own; the exit code of the program."""
    with tempfile.TemporaryDirectory(prefix=prefix) as temporary:
        test = make_test(pathlib.Path(temporary))
        try:
            test.run()
        except AssertionError as error:
            print(f"FAILED: {error}")
            return 1
        finally:
            test.service.kill()
    print("passed")
    return 0
