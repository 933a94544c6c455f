"""The hierarchy of episodes as users see it: offline, in a graph, and asked of a service.
usage: hierarchy_test.py WEFT ROOT"""

import gzip
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

import program
from program import ROOT, WEFT, check, run

GRAPH = str(ROOT / "deploy" / "graphs" / "hierarchy.pbtxt")


class Hierarchy(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)
        self.file = self.path / "planted.csv"
        run("data", "generate", "hierarchy", "--out", str(self.file))

    def tearDown(self):
        self.folder.cleanup()

    def test_eval_segments(self):
        made = self.file
        truth = self.path / "truth.csv"
        generate = ("data", "generate", "hierarchy", "--out", str(made))
        self.assertIn("fine boundaries", run(*generate, "--truth", str(truth)).stdout)
        once = made.read_bytes()
        counts = check("generate_hierarchy", json.loads(run(*generate, "--json").stdout))
        self.assertEqual(counts["events"], len(once.splitlines()) - 1)
        self.assertEqual(made.read_bytes(), once)
        arguments = ("eval", "segments", str(made), "--truth", str(truth))
        found = check("eval_segments", json.loads(run(*arguments, "--json").stdout))
        fine, coarse = found["levels"][:2]
        self.assertEqual(found["snapshots"], 4000)
        self.assertGreater(fine["f1"], 0.9)
        self.assertGreater(fine["f1"], found["baselines"]["uniform"][0]["f1"] + 0.4)
        self.assertGreater(coarse["f1"], found["baselines"]["random"][1]["f1"] + 0.3)
        self.assertIn("uniform", run(*arguments).stdout)
        without = check("eval_segments", json.loads(run(*arguments[:3], "--json").stdout))
        self.assertIsNone(without["levels"][0]["f1"])

    def test_eval_segments_says_what_is_wrong(self):
        truth = self.path / "truth.csv"
        truth.write_text("time,level\n1,0\n")
        arguments = ("eval", "segments", str(self.file), "--truth", str(truth))
        self.assertIn("truth.csv:2: expected a level", run(*arguments, code=3).stderr)
        many = ("--snapshots", "100000000", "--interactions", "10000")
        refused = run("data", "generate", "hierarchy", "--out", "/dev/null", *many, code=2)
        self.assertIn("expected at most 100000000 events", refused.stderr)
        full = run("data", "generate", "hierarchy", "--out", "/dev/full", code=1)
        self.assertIn("/dev/full: No space left", full.stderr)
        refused = run("eval", "segments", str(self.file), "--snapshot", "1 week", code=2)
        self.assertIn("--snapshot: expected a duration", refused.stderr)

    def test_reads_real_streams(self):
        data = pathlib.Path(os.environ.get("WEFT_DATA", ROOT.parent / "shared" / "data")) / "events"
        game = data / "resistance" / "network0.csv.gz"
        if not game.exists():
            self.skipTest(f"{game} is not here")
        mapping = ("--mapping", str(ROOT / "deploy" / "mappings" / "resistance.pbtxt"))
        options = ("--snapshot", "333333us", "--window", "24", "--quantile", "0.8", "--json")
        looks = gzip.decompress(game.read_bytes()).decode()
        found = json.loads(run("eval", "segments", "-", *mapping, *options, stdin=looks).stdout)
        self.assertEqual(found["snapshots"], len(looks.splitlines()) - 1)
        fine, coarse = (level["episodes"] for level in found["levels"][:2])
        self.assertTrue(2.5 < fine / coarse < 8, f"{fine} and {coarse} episodes")
        match = data / "metrica" / "Sample_Game_1_RawEventsData.csv"
        mapping = ("--mapping", str(ROOT / "deploy" / "mappings" / "metrica.pbtxt"))
        told = json.loads(run("describe", "events", str(match), *mapping, "--json").stdout)
        self.assertEqual(told["events"], len(match.read_text().splitlines()) - 1)

    def test_actions_begin_where_leaves_do(self):
        """A list of timed actions, each of a person, a verb and an object."""
        draw = random.Random(1)
        actions, truth = self.path / "actions.csv", self.path / "starts.csv"
        with open(actions, "w") as out, open(truth, "w") as starts:
            out.write("person,verb,object,start,stop\n")
            starts.write("time,level\n")
            begin = 0
            for _ in range(200):
                end = begin + draw.randint(30, 90)
                verb, thing = draw.choice("cut wash mix fry".split()), draw.randint(0, 11)
                out.write(f"cook,{verb},thing{thing},{begin},{end}\n")
                if begin > 0:
                    starts.write(f"{begin},1\n")
                begin = end
        mapping = ("--mapping", str(ROOT / "deploy" / "mappings" / "actions.pbtxt"))
        arguments = ("eval", "segments", str(actions), *mapping, "--truth", str(truth))
        found = json.loads(run(*arguments, "--tolerance", "5", "--json").stdout)
        fine = found["levels"][0]["f1"]
        self.assertGreater(fine, 0.8)
        self.assertGreater(fine, found["baselines"]["uniform"][0]["f1"] + 0.4)
        self.assertGreater(fine, found["baselines"]["random"][0]["f1"] + 0.4)

    def test_eval_episodes(self):
        long = self.path / "long.csv"
        run("data", "generate", "hierarchy", "--snapshots", "30000", "--out", str(long))
        arguments = ("eval", "episodes", str(long), "--horizon", "30s")
        found = check("eval_episodes", json.loads(run(*arguments, "--json").stdout))
        fine = found["levels"][0]
        self.assertGreater(fine["forecasts"], 100)
        # Planted leaves last 30 to 120 snapshots: their age says much.
        self.assertLess(
            fine["end"]["pinball_seconds"], fine["end_baselines"]["memoryless"]["pinball_seconds"]
        )
        self.assertLess(
            fine["hazard"]["hierarchy"]["log_loss"], fine["hazard_baselines"]["fixed"]["log_loss"]
        )
        self.assertIn("AUROC", run(*arguments).stdout)
        wrong = run("eval", "episodes", str(self.file), "--horizon", "soon", code=2)
        self.assertIn("--horizon: expected a duration", wrong.stderr)

    def test_eval_episodes_writes_forecasts(self):
        out = self.path / "forecasts.csv"
        arguments = ("eval", "episodes", str(self.file), "--forecasts", str(out), "--json")
        found = json.loads(run(*arguments).stdout)
        lines = out.read_text().splitlines()
        self.assertEqual(len(lines) - 1, sum(level["forecasts"] for level in found["levels"]))
        self.assertEqual(lines[0].split(",")[-1], "ended_within")
        full = run(*arguments[:4], "/dev/full", code=1)
        self.assertIn("/dev/full: No space left", full.stderr)

    def test_eval_partners(self):
        moments = self.path / "moments.csv"
        arguments = ("eval", "partners", str(self.file), "--moments", str(moments))
        found = check("eval_partners", json.loads(run(*arguments, "--json").stdout))
        self.assertEqual(found["moments"], len(moments.read_text().splitlines()) - 1)
        accuracy = {mix["name"]: mix["accuracy"] for mix in found["mixes"]}
        alone = {one["name"]: one["accuracy"] for one in found["stretches"]}
        self.assertGreater(accuracy["both"], alone["last_5s"] - 0.02)
        self.assertIn("weight in the mixes", run(*arguments).stdout)
        wrong = run("eval", "partners", str(self.file), "--every", "now and then", code=2)
        self.assertIn("--every: expected a duration", wrong.stderr)

    def test_bench(self):
        """What is measured works and is said in full; figures are for quiet machines."""
        arguments = ("bench", "hierarchy", "--snapshots", "9000", "--requests", "3", "--json")
        found = check("bench_hierarchy", json.loads(run(*arguments).stdout))
        self.assertEqual(len(found["parts"]), 10)
        self.assertLessEqual(found["touched_records"], 3 * found["snapshots"])
        self.assertEqual(found["similar"]["episodes"], found["levels"][0]["kept"])

    def test_run_writes_episodes(self):
        flags = ("--input", f"events={self.file}", "--output", "episodes=-")
        lines = [
            check("run_episodes", json.loads(line))
            for line in run("run", GRAPH, *flags).stdout.splitlines()
        ]
        closed = {line["id"]: line for line in lines if line["change"] == "closed"}
        final = [line for line in lines if line["change"] == "final"]
        self.assertGreater(len(closed), 50)
        self.assertGreater(len(final), 40)
        for line in final:
            self.assertEqual(line["interactions"], closed[line["id"]]["interactions"])
            self.assertGreaterEqual(line["salience"], 0.0)
            self.assertLess(line["level"], 3)
        self.assertEqual(closed[final[0]["id"]]["nodes"][0]["node"], "13")
        # What ends level 2 ends level 1 as well.
        ends = {line["end_us"] for line in closed.values() if line["level"] == 1}
        self.assertLessEqual(
            {line["end_us"] for line in closed.values() if line["level"] == 2}, ends
        )

    def test_run_writes_what_is_learned(self):
        for output, schema in (
            ("salience", "run_salience"),
            ("readout", "run_readout"),
            ("forecasts", "run_forecasts"),
        ):
            flags = ("--input", f"events={self.file}", "--output", f"{output}=-")
            lines = run("run", GRAPH, *flags).stdout.splitlines()
            self.assertGreater(len(lines), 40, output)
            for line in lines:
                check(schema, json.loads(line))

    def ask(self, name, *arguments):
        """An answer as JSON, and as text."""
        text = run("query", *arguments, "--to", self.address).stdout
        answer = run("query", *arguments, "--to", self.address, "--json").stdout
        return check(name, json.loads(answer)), text

    def test_a_service_is_asked(self):
        server, said = program.serve(self.folder.name + "/data", "--lateness", "0")
        self.address = said["address"]
        empty, drawn = self.ask("query_timeline", "timeline")
        self.assertEqual(empty["items"], [])
        self.assertIn("no snapshot is complete yet", drawn)
        watch = subprocess.Popen(
            [WEFT, "watch", "episodes", "--to", self.address, "--level", "1", "--change", "closed"]
            + ["--events", "20", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        watch.stderr.readline()
        forecasts = subprocess.Popen(
            [WEFT, "watch", "forecasts", "--to", self.address, "--events", "30", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        forecasts.stderr.readline()
        run("ingest", "events", str(self.file), "--to", self.address)
        foretold = [check("watch_forecasts", json.loads(line)) for line in forecasts.stdout]
        self.assertEqual(forecasts.wait(timeout=60), 0)
        self.assertEqual(len(foretold), 30)
        forecasts.stdout.close()
        forecasts.stderr.close()
        seen = [check("watch_episodes", json.loads(line)) for line in watch.stdout]
        self.assertEqual(watch.wait(timeout=60), 0)
        watch.stdout.close()
        watch.stderr.close()
        self.assertEqual({line["level"] for line in seen}, {1})
        self.assertEqual(len(seen), 20)

        timeline, drawn = self.ask("query_timeline", "timeline")
        self.assertEqual(timeline["level"], 1)
        self.assertEqual(len(timeline["items"]), timeline["episode_count"])
        self.assertEqual([item["id"] for item in timeline["items"][:20]], [e["id"] for e in seen])
        rows = [line for line in drawn.splitlines() if "\u2588" in line]
        self.assertEqual(len(rows), timeline["levels"])
        self.assertIn("what stands out", drawn)
        some = json.loads(
            run(
                "query", "timeline", "--items", "5", "--level", "1", "--json", "--to", self.address
            ).stdout
        )
        self.assertLessEqual(len(some["items"]), 5)
        self.assertEqual(
            sum(1 + item["hidden"] for item in some["items"]), timeline["episode_count"]
        )

        top, text = self.ask("query_episodes", "top", "--level", "2", "--count", "3")
        self.assertEqual(len(top["episodes"]), 3)
        self.assertEqual(len(text.splitlines()), 3)
        best = top["episodes"][0]
        one, text = self.ask("query_episode", "episode", best["id"])
        self.assertEqual(one["episode"]["id"], best["id"])
        self.assertEqual(len(one["children"]), best["children"])
        self.assertEqual([parent["level"] for parent in one["ancestors"]], [3])
        self.assertIn("made of", text)
        moment, _ = self.ask("query_episodes", "at", str(best["begin_us"]))
        self.assertEqual(moment["episodes"][1]["id"], best["id"])
        boundaries, _ = self.ask("query_boundaries", "boundaries", "--level", "2")
        self.assertIn(best["begin_us"], [one["time_us"] for one in boundaries["boundaries"]])
        who = best["entities"][0]["entity"]
        followed, _ = self.ask("query_follow", "follow", who, "--level", "2", "--min-share", "0.05")
        self.assertIn(best["id"], [item["episode"]["id"] for item in followed["items"]])
        similar, _ = self.ask("query_similar", "similar", best["id"], "--count", "2")
        other = similar["items"][0]["episode"]["id"]
        compared, _ = self.ask("query_compare", "compare", best["id"], other)
        self.assertAlmostEqual(compared["affinity"], similar["items"][0]["affinity"], places=4)
        foretold, text = self.ask("query_next", "next", "--within", "1m")
        self.assertEqual(len(foretold["precedents"]), 5)
        self.assertIn("within 1m", text)
        past = str(best["end_us"])
        then, _ = self.ask("query_timeline", "timeline", "--at", past)
        self.assertEqual(then["known_until_us"], best["end_us"])
        self.assertEqual(then["items"][-1]["state"], "open")
        learned, _ = self.ask("query_episodes", "top", "--order", "learned", "--count", "4")
        scores = [episode["learned_salience"] for episode in learned["episodes"]]
        self.assertEqual(scores, sorted(scores, reverse=True))
        refused = run("query", "episode", "7", "--to", self.address, code=1)
        self.assertIn("there is no episode 7", refused.stderr)
        program.drain(server)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
