"""Series of numbers and symbols as users have them evaluated and watched, offline.
usage: sequence_test.py WEFT ROOT"""

import csv
import json
import math
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.request

import program
from program import ROOT, WEFT, check, run

DATA = pathlib.Path(os.environ.get("WEFT_DATA", ROOT.parent / "shared" / "data"))


class Sequence(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)
        draw = random.Random(1)
        self.file = self.path / "load.csv"
        with open(self.file, "w") as out:
            out.write("timestamp,host,load\n")
            for i in range(3000):
                value = 10 + 4 * math.sin(i * math.pi / 144) + 0.3 * draw.gauss(0, 1)
                if 2500 <= i < 2520:
                    value += 9
                text = "" if i % 97 == 5 else f"{value:.4f}"
                day, rest = divmod(i * 5, 1440)
                out.write(f"2020-01-{day + 1:02} {rest // 60:02}:{rest % 60:02}:00,a,{text}\n")

    def tearDown(self):
        self.folder.cleanup()

    def scores(self, *arguments):
        out = self.path / "scores.csv"
        run("detect", str(self.file), "--out", str(out), *arguments)
        with open(out) as text:
            return list(csv.DictReader(text))

    def test_detect(self):
        rows = self.scores("--score", "continuous")
        self.assertEqual(list(rows[0]), ["timestamp", "value", "anomaly_score", "label"])
        self.assertEqual(rows[0]["timestamp"], "2020-01-01 00:00:00")
        self.assertEqual(rows[5]["value"], "")
        best = max(range(len(rows)), key=lambda i: float(rows[i]["anomaly_score"]))
        self.assertTrue(2500 <= best < 2540, best)
        labels = self.path / "labels.json"
        windows = [["2020-01-09 16:00:00.000000", "2020-01-09 18:00:00.000000"]]
        labels.write_text(json.dumps({"load.csv": windows}))
        alarms = self.scores("--labels", str(labels))
        peaks = [i for i, row in enumerate(alarms) if float(row["anomaly_score"]) > 0.175]
        self.assertTrue(any(2500 <= i < 2520 for i in peaks), peaks)
        self.assertEqual(sum(int(row["label"]) for row in alarms), 25)
        htm = self.scores("--model", "htm", "--score", "continuous")
        self.assertEqual(len(htm), 3000)
        wrong = run("detect", str(self.file), "--value", "laod", code=3)
        self.assertIn("expected a column laod (did you mean load?)", wrong.stderr)

    def test_eval_sequence(self):
        arguments = ("eval", "sequence", str(self.file), "--value", "load", "--horizon", "3")
        found = check("eval_sequence", json.loads(run(*arguments, "--json").stdout))
        self.assertEqual((found["records"], found["value"]), (3000, "load"))
        self.assertLess(found["mape"], found["baselines"]["persistence"]["mape"])
        self.assertIn("values below the quantiles", run(*arguments).stdout)
        htm = json.loads(run(*arguments, "--model", "htm", "--json").stdout)
        self.assertEqual(check("eval_sequence", htm)["model"], "htm")

    def test_eval_symbols(self):
        stream = self.path / "symbols.csv"
        with open(stream, "w") as out:
            out.write("symbol\n")
            for i in range(3000):
                out.write(f"{'abcd'.index('abdc'[i % 4])}\n")
        found = check(
            "eval_symbols", json.loads(run("eval", "symbols", str(stream), "--json").stdout)
        )
        self.assertEqual(found["elements"], 3000)
        self.assertGreater(found["accuracy_per_1000"][-1], 0.95)
        self.assertIn("segments", run("eval", "symbols", str(stream)).stdout)
        wrong = self.path / "wrong.csv"
        wrong.write_text("symbol\n1\none\n")
        refused = run("eval", "symbols", str(wrong), code=3)
        self.assertIn('wrong.csv:3: symbol: expected a whole number, got "one"', refused.stderr)

    def ask(self, name, *arguments):
        """An answer as JSON, and as text."""
        text = run(*arguments, "--to", self.address).stdout
        answer = run(*arguments, "--to", self.address, "--json").stdout
        return check(name, json.loads(answer)), text

    def test_a_service_follows_series(self):
        graph = str(ROOT / "deploy" / "graphs" / "sequence.pbtxt")
        server, serving = program.serve(self.folder.name + "/data", "--graph", graph)
        self.address = serving["address"]
        watch = subprocess.Popen(
            [WEFT, "watch", "alarms", "--to", self.address, "--series", "b", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        watch.stderr.readline()
        records = self.path / "records.csv"
        with open(records, "w") as out:
            out.write("src,dst,ts,label\n")
            for i in range(2000):
                for host in ("a", "b"):
                    value = 10 + 4 * math.sin(i * math.pi / 144) + (9 if i == 1900 else 0)
                    out.write(f"{host},load,{i * 300},{value:.4f}\n")
        run("ingest", "events", str(records), "--to", self.address)
        for line in watch.stdout:
            alarm = check("watch_alarms", json.loads(line))
            self.assertEqual(alarm["series"], "b")
            self.assertGreaterEqual(alarm["alarm"], 0.175)
            if alarm["time_us"] == 1900 * 300_000_000:
                break
        watch.terminate()
        watch.wait(timeout=60)
        watch.stdout.close()
        watch.stderr.close()

        listed, text = self.ask("query_series", "query", "series")
        self.assertEqual([one["series"] for one in listed["series"]], ["b", "a"])
        self.assertIn("2 series in memory, 0 outside of it", text)
        said, text = self.ask("predict_series", "predict", "series", "a", "--steps", "4")
        self.assertEqual([step["horizon"] for step in said["forecasts"]], [1, 2, 3, 4])
        self.assertAlmostEqual(
            said["forecasts"][3]["mean"], 10 + 4 * math.sin(2003 * math.pi / 144), delta=1.0
        )
        self.assertIn("(between)", text)
        why, text = self.ask("query_series_explained", "query", "series", "a")
        self.assertEqual(why["fields"][0]["most"], max(14, why["fields"][0]["most"]))
        self.assertEqual(why["alike"][0]["records_ago"] % 288, 0)
        self.assertEqual(why["fields"][0]["season_us"], 86_400_000_000)
        self.assertIn("at this part of 1 d", text)
        wrong = run("predict", "series", "c", "--to", self.address, code=1)
        self.assertIn('follows no series "c"', wrong.stderr)
        timeline = json.loads(run("query", "timeline", "--to", self.address, "--json").stdout)
        marks = [mark for mark in timeline["marks"] if mark["kind"] == "anomaly"]
        self.assertIn(1900 * 300_000_000, [mark["begin_us"] for mark in marks])
        with urllib.request.urlopen(f"http://{serving['http_address']}/metrics") as answer:
            metrics = answer.read().decode()
        for name in re.findall(r"weft_\w+", (ROOT / "deploy/prometheus/alerts.yml").read_text()):
            self.assertRegex(metrics, rf"(?m)^{name}\{{")
        program.drain(server)

    def lines(self, graph, output, schema):
        """What a graph of deploy/graphs says of self.path/records.csv."""
        path = str(ROOT / "deploy" / "graphs" / graph)
        flags = ("--input", f"events={self.path / 'records.csv'}", "--output", f"{output}=-")
        text = run("run", path, *flags).stdout
        return [check(schema, json.loads(line)) for line in text.splitlines()]

    def test_htm_runs_from_its_parts(self):
        with open(self.path / "records.csv", "w") as out:
            out.write("src,dst,ts,f0\n")
            for i in range(1200):
                value = 50 + 40 * math.sin(i * math.pi / 24) + (45 if i == 1100 else 0)
                out.write(f"a,load,{i * 1800},{value:.4f}\n")
        cells = self.lines("htm.pbtxt", "cells", "run_sparse")
        self.assertEqual({line["width"] for line in cells}, {65536})
        self.assertEqual(cells[0]["unpredicted"], 1.0)
        self.assertLess(sum(line["unpredicted"] for line in cells[1000:1100]), 30)
        self.assertGreater(cells[1100]["unpredicted"], 0.5)
        likelihood = self.lines("htm.pbtxt", "likelihood", "run_sequence")
        self.assertGreater(max(line["score"] for line in likelihood[1100:1110]), 0.1)
        forecasts = self.lines("htm.pbtxt", "forecasts", "run_sequence")
        self.assertEqual([step["horizon"] for step in forecasts[0]["forecasts"]], [1, 5])
        self.assertAlmostEqual(
            forecasts[1050]["forecasts"][0]["mean"],
            50 + 40 * math.sin(1051 * math.pi / 24),
            delta=20,
        )

    def test_experts_run_from_their_parts(self):
        with open(self.path / "records.csv", "w") as out:
            out.write("src,dst,ts,f0\n")
            for i in range(1500):
                value = 50 + 40 * math.sin(i * math.pi / 24) + (45 if i == 1400 else 0)
                out.write(f"a,load,{i * 1800},{value + i * 7919 % 13 / 10:.4f}\n")
        rarities = self.lines("experts.pbtxt", "rarities", "run_opinions")
        self.assertEqual(len(rarities), 1500)
        names = [one["expert"] for one in rarities[1400]["opinions"]]
        self.assertEqual(names, ["level", "seasonal", "shape3", "shape18"])
        said = {one["expert"]: one["opinion"] for one in rarities[1400]["opinions"]}
        self.assertGreater(said["seasonal"], 2.0)
        scores = self.lines("experts.pbtxt", "scores", "run_sequence")
        self.assertGreater(max(line["alarm"] for line in scores[1400:1410]), 0.175)
        self.assertLess(max(line["alarm"] for line in scores[1000:1400]), 0.175)
        forecasts = self.lines("experts.pbtxt", "forecasts", "run_sequence")
        step = forecasts[1300]["forecasts"][0]
        self.assertEqual(step["horizon"], 5)
        self.assertAlmostEqual(
            step["mean"], 50.6 + 40 * math.sin(1305 * math.pi / 24), delta=2
        )
        self.assertLess(step["p10"], step["p90"])

    def test_bench(self):
        """What is measured works and is said in full; figures are for quiet machines."""
        arguments = ("bench", "sequence", "--records", "3000", "--series", "20", "--json")
        found = check("bench_sequence", json.loads(run(*arguments).stdout))
        parts = found["growing"]["parts"]
        self.assertEqual([part["records"] for part in parts], list(range(300, 3001, 300)))
        self.assertEqual(found["many"]["series"], 20)
        few = ("--records", "400", "--series", "2", "--records-of-each", "120", "--model", "htm")
        check("bench_sequence", json.loads(run("bench", "sequence", *few, "--json").stdout))

    def test_run_writes_records(self):
        records = self.path / "records.csv"
        with open(records, "w") as out:
            out.write("src,dst,ts,f0\n")
            for i in range(1500):
                for host in ("a", "b"):
                    value = 10 + 4 * math.sin(i * math.pi / 144) + (9 if i == 1400 else 0)
                    out.write(f"{host},load,{i * 300},{value:.4f}\n")
        graph = str(ROOT / "deploy" / "graphs" / "sequence.pbtxt")
        flags = ("--input", f"events={records}", "--output", "sequence=-")
        lines = [
            check("run_sequence", json.loads(line))
            for line in run("run", graph, *flags).stdout.splitlines()
        ]
        self.assertEqual(len(lines), 3000)
        self.assertEqual([step["horizon"] for step in lines[0]["forecasts"]], [1, 5])
        self.assertIsNone(lines[0]["forecasts"][1]["mean"])
        best = max(lines, key=lambda line: line["score"])
        self.assertIn(best["time_us"], range(1400 * 300_000_000, 1416 * 300_000_000))
        for step in lines[-1]["forecasts"]:
            self.assertTrue(step["p10"] <= step["p50"] <= step["p90"])
            ahead = 10 + 4 * math.sin((1499 + step["horizon"]) * math.pi / 144)
            self.assertAlmostEqual(step["mean"], ahead, delta=1.0)

    def test_eval_anomaly(self):
        folder, labels = DATA / "nab" / "data", DATA / "nab" / "labels" / "combined_windows.json"
        if not folder.exists():
            self.skipTest(f"{folder} is not here")
        arguments = ("eval", "anomaly", str(folder), "--labels", str(labels))
        found = check("eval_anomaly", json.loads(run(*arguments, "--json").stdout))
        self.assertEqual((found["files"], found["records"]), (18, 113913))
        self.assertGreater(found["profiles"]["standard"], 60)
        self.assertGreater(found["vus_pr"], found["baselines"]["zscore"]["vus_pr"] + 0.08)
        self.assertGreater(found["composite_f1"], found["baselines"]["zscore"]["composite_f1"])
        self.assertAlmostEqual(found["baselines"]["null"]["standard"], 0.0)
        self.assertLess(found["cost"]["bytes_per_series"], 1_500_000)
        self.assertIn("windowed_gaussian", run(*arguments).stdout)

    def test_eval_anomaly_says_what_is_wrong(self):
        labels = self.path / "labels.json"
        labels.write_text('{"load.csv": [["2020-01-09 16:00:00"]]}')
        arguments = ("eval", "anomaly", str(self.path), "--labels", str(labels))
        self.assertIn("load.csv: expected windows of two times", run(*arguments, code=3).stderr)
        missing = run("eval", "anomaly", str(self.path), code=3)
        self.assertIn("expected a JSON file of windows, got none", missing.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
