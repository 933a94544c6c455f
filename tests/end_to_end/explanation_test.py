#!/usr/bin/python3
"""A service says why it ranks targets as it does: `weft predict links --explain`.

  explanation_test.py --weft build/release/weft

Exit codes: 0 passed, 1 failed.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from expectations import check_schema, expect, expect_in
from service import STOP_SECONDS, Service

GROUPS = 10
# Of a sum of as many rounded numbers.
CLOSE = 1e-3


def write_events(path):
    """Eight sources go round their three targets each; s0 meets t0 at every third event."""
    rows = [f"s{i % 8},t{i % 8 * 3 + i // 8 % 3},{i}" for i in range(600)]
    path.write_text("\n".join(["src,dst,ts", *rows]) + "\n")


def ask(weft, service, *arguments, code=0):
    done = subprocess.run(
        [weft, "predict", "links", "--to", service.address, *arguments],
        capture_output=True,
        text=True,
        timeout=STOP_SECONDS,
    )
    expect(f"exit code of weft predict links {arguments} ({done.stderr})", done.returncode, code)
    return done.stdout if code == 0 else done.stderr


def check_answer(answer):
    check_schema("predict_links", answer)
    shown = [target["target"] for target in answer["targets"]]
    explanations = answer["explanations"]
    expect("targets that are explained", [entry["target"] for entry in explanations], shown)
    for target, why in zip(answer["targets"], explanations):
        expect(f"groups of {target['target']}", len(why["groups"]), GROUPS)
        total = why["mean_log_odds"] + sum(group["log_odds"] for group in why["groups"])
        expect("whether the groups come to it", abs(total - why["log_odds"]) < CLOSE, True)
        expect("whether it is the score", abs(target["score"] - why["log_odds"]) < CLOSE, True)
    partners = {p["partner"]: p for why in explanations for p in why["partners"]}
    expect("partners of s0", set(partners) <= {"t0", "t1", "t2"} and bool(partners), True)
    known = partners.get("t0") or next(iter(partners.values()))
    expect("events to it", known["sent_count"], 25)
    expect("events from it", (known["received_count"], known["last_received"]), (0, None))
    expect("time of the last one", known["last_sent"] is not None, True)


def run(weft, folder):
    events = folder / "events.csv"
    write_events(events)
    service = Service(weft, folder / "data").start()
    try:
        subprocess.run(
            [weft, "ingest", "events", events, "--to", service.address],
            check=True,
            capture_output=True,
            timeout=STOP_SECONDS,
        )
        asked = ("--source", "s0", "--node", "weft", "--top", "4", "--explain")
        check_answer(json.loads(ask(weft, service, *asked, "--json")))
        said = ask(weft, service, *asked)
        for part in ("an average pair", "sequence", "remembers t"):
            expect_in("weft predict links --explain", part, said)
        complaint = ask(weft, service, "--source", "s0", "--node", "recency", "--explain", code=1)
        expect_in("a model that cannot say why", "explains no scores", complaint)
    finally:
        service.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weft", required=True)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="weft-explanation-") as temporary:
        try:
            run(flags.weft, pathlib.Path(temporary))
        except AssertionError as error:
            print(f"FAILED: {error}")
            return 1
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
