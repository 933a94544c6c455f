"""A service whose learned model is worse than a baseline, as its users see it.
usage: evaluation_test.py WEFT ROOT"""

import json
import pathlib
import subprocess
import sys
import tempfile

from program import ROOT, WEFT, check, run


def expect(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: expected {wanted}, got {got}")


def main(folder):
    # Weights that are random and stay so, against sources that come back to their one target.
    graph = folder / "graph.pbtxt"
    text = (ROOT / "deploy" / "graphs" / "service.pbtxt").read_text()
    graph.write_text(text.replace("learn: true", "cold_start: true"))
    events = folder / "events.csv"
    rows = [f"s{i * i % 31},t{i * i % 31},{i}" for i in range(5000)]
    events.write_text("\n".join(["src,dst,ts", *rows]) + "\n")
    server = subprocess.Popen(
        [WEFT, "serve", "--data-dir", folder / "data", "--graph", graph, "--json"]
        + ["--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        address = json.loads(server.stdout.readline())["address"]
        asked = ("predict", "links", "--source", "s1", "--to", address)
        before = check("predict_links", json.loads(run(*asked, "--json").stdout))
        expect("who answers first", (before["node"], before["fallback"]), ("weft", False))
        run("ingest", "events", events, "--to", address)

        found = check("predict_links", json.loads(run(*asked, "--json").stdout))
        expect("who answers", (found["fallback"], found["node"] != "weft"), (True, True))
        reason = f"weft is not ahead of {found['node']}: "
        expect("why", found["reason"][: len(reason)], reason)
        expect("what people read", f"  ({found['reason']})" in run(*asked).stdout, True)
        named = check("predict_links", json.loads(run(*asked, "--node", "weft", "--json").stdout))
        expect("whom I name", (named["node"], named["fallback"]), ("weft", False))

        marks = json.loads(run("query", "timeline", "--json", "--to", address).stdout)["marks"]
        expect("the mark", any(reason in mark["text"] for mark in marks), True)
        expect("its kind", {mark["kind"] for mark in marks}, {"model"})

        watch = ("watch", "models", "--to", address, "--reports", "1")
        line = check("watch_models", json.loads(run(*watch, "--json").stdout))
        nodes = [model["node"] for model in line["models"]]
        expect("the models", nodes, ["weft", "recency", "edgebank"])
        for model in line["models"]:
            expect("what they are", model["learned"], model["node"] == "weft")
            expect("their figures", None in (model["log_loss"], model["mrr"]), False)
        expect("who ranks", line["ranks_targets"], {k: found[k] for k in ("node", "reason")})
        table = run(*watch).stdout.splitlines()
        expect("the table's rows", [row.split()[0] for row in table[1:4]], nodes)
        expect("the table's end", f"another model ranks: {found['reason']}" in table, True)
    finally:
        server.terminate()
        server.wait(timeout=60)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        main(pathlib.Path(name))
