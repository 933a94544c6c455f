"""Runs the program as a user does. usage: command_line_test.py WEFT ROOT"""

import collections
import itertools
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import program
from program import ROOT, WEFT, check, drain, run

GRAPH = str(ROOT / "deploy" / "graphs" / "links.pbtxt")
NAT_GRAPH = str(ROOT / "deploy" / "graphs" / "links_nat.pbtxt")  # its model reads event features


def events(count, seed=1):
    chance = random.Random(seed)
    lines = ["src,dst,ts,label"]
    for number in range(count):
        source = f"user {chance.randrange(20)}"
        lines.append(f"{source},{chance.randrange(12)},{number * 0.5},0")
    return "\n".join(lines) + "\n"


TWO_FEEDS = """
input { name: "calls" type: "EventBatch" }
input { name: "mails" type: "EventBatch" }
node { name: "draw_c" operator: "negative_sampler" input: "EVENTS:calls" output: "CANDIDATES:c" }
node { name: "draw_m" operator: "negative_sampler" input: "EVENTS:mails" output: "CANDIDATES:m" }
node { name: "edgebank" operator: "edgebank" input: "CANDIDATES:c" output: "SCORES:call_scores" }
node { name: "recency" operator: "recency" input: "CANDIDATES:m" output: "SCORES:mail_scores" }
node {
  name: "evaluation" operator: "link_evaluation"
  input: "SCORES_1:call_scores" input: "SCORES_2:mail_scores" output: "EVALUATION:reports"
  options {
    [type.googleapis.com/weft.operators.link.v1.LinkEvaluation] { report_every_events: 64 }
  }
}
output { name: "evaluation" stream: "reports" }
"""


def regular_events(count, seed=1):
    """Sources that go on to the same few targets, among many targets."""
    chance = random.Random(seed)
    lines = ["src,dst,ts"]
    for number in range(count):
        source = chance.randrange(40)
        lines.append(f"s{source},t{(source * 5 + chance.randrange(3)) % 200},{number}")
    return "\n".join(lines) + "\n"


def labelled_events(count, seed=1):
    """Every third source mostly has label 1; f0 is a random digit."""
    chance = random.Random(seed)
    lines = ["src,dst,ts,label,f0"]
    for number in range(count):
        source = chance.randrange(20)
        label = int((source % 3 == 0) != (chance.random() < 0.1))
        lines.append(f"s{source},t{chance.randrange(12)},{number},{label},{chance.randrange(10)}")
    return "\n".join(lines) + "\n"


def average_precision(lines):
    """Over the scores of what came and of what did not; ties count as one threshold."""
    scored = [(line["score"], 1) for line in lines if line["negative"] is not None]
    scored += [(line["negative_score"], 0) for line in lines if line["negative"] is not None]
    scored.sort(reverse=True)
    total = sum(came for _, came in scored)
    precision_sum = seen = hits = 0
    for _, group in itertools.groupby(scored, key=lambda pair: pair[0]):
        group = [came for _, came in group]
        seen += len(group)
        hits += sum(group)
        precision_sum += sum(group) * hits / seen
    return precision_sum / total


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.file = pathlib.Path(self.folder.name) / "events.csv"
        self.file.write_text(events(1500))

    def tearDown(self):
        self.folder.cleanup()

    def test_objects_obey_their_schemas(self):
        check("version", json.loads(run("version", "--json").stdout))
        check("operators", json.loads(run("operators", "--json").stdout))
        check("graph_validate", json.loads(run("graph", "validate", GRAPH, "--json").stdout))
        doctor = subprocess.run(
            [WEFT, "doctor", "--json"], capture_output=True, text=True, timeout=60
        )
        check("doctor", json.loads(doctor.stdout))

    def test_eval_links(self):
        arguments = ("eval", "links", str(self.file), "--model", "recency", "--json")
        one = check("eval_links", json.loads(run(*arguments).stdout))
        self.assertEqual(one["events"], 1500)
        self.assertIsNone(one["test"]["random"]["ap_stddev"])
        two = check(
            "eval_links", json.loads(run(*arguments, "--seeds", "1,2", "--no-inductive").stdout)
        )
        self.assertIsNone(two["inductive"]["random"]["ap"])
        self.assertGreaterEqual(two["test"]["random"]["ap_stddev"], 0)
        first = two["test"]["random"]["ap_by_seed"][0]
        self.assertEqual(first, one["test"]["random"]["ap"])

    def test_eval_links_asks_harder_questions(self):
        arguments = ("eval", "links", str(self.file), "--model", "recency", "--no-inductive")
        found = {}
        for reads in ("before_time", "before_event", "before_batch"):
            output = run(*arguments, "--reads", reads, "--mrr-events", "50", "--json").stdout
            found[reads] = check("eval_links", json.loads(output))
            self.assertTrue(found[reads]["reads"].startswith(reads))
            for figures in (found[reads]["test"], *found[reads]["baselines"].values()):
                self.assertGreater(figures["seen"]["ap"], 0)
                self.assertGreater(figures["historical"]["auc"], 0)
                self.assertGreater(figures["mrr"]["value"], 0)
            self.assertEqual(
                found[reads]["test"]["seen"], found[reads]["baselines"]["recency"]["seen"]
            )
            self.assertIn("not probabilities", found[reads]["test"]["calibration"]["reason"])
            calibration = found[reads]["baselines"]["edgebank"]["calibration"]
            self.assertGreater(calibration["ece"], 0)
            self.assertEqual(len(calibration["bins"]), 15)
        # Each event of this file has its own time.
        self.assertEqual(found["before_time"]["test"], found["before_event"]["test"])
        self.assertNotEqual(found["before_time"]["test"], found["before_batch"]["test"])
        self.assertEqual(found["before_batch"]["reads"], "before_batch(32)")
        without = json.loads(run(*arguments, "--mrr-events", "0", "--json").stdout)
        self.assertIsNone(check("eval_links", without)["test"]["mrr"]["value"])
        self.assertIn("--mrr-events", without["test"]["mrr"]["reason"])
        self.assertIn("historical", run(*arguments).stdout)

    def test_eval_links_online(self):
        arguments = ("eval", "links", str(self.file), "--online", "--mrr-events", "50")
        found = check("eval_links", json.loads(run(*arguments, "--json").stdout))
        self.assertTrue(found["online"])
        self.assertEqual((found["start"], found["model"]), ("cold", "weft"))
        self.assertEqual(found["reads"], "before_time")
        for figures in (found["test"], *found["baselines"].values()):
            self.assertGreater(figures["first"]["seen"]["ap"], 0)
        warm = check("eval_links", json.loads(run(*arguments, "--start=warm", "--json").stdout))
        self.assertNotEqual(warm["test"], found["test"])
        self.assertEqual(warm["baselines"], found["baselines"])
        self.assertIn("first twentieth", run(*arguments).stdout)
        self.assertIn(
            "/nonexistent.weft", run(*arguments, "--start", "/nonexistent.weft", code=3).stderr
        )
        run(*arguments, "--model", "recency", "--start", "warm", code=2)
        self.assertIn("did you mean", run(*arguments, "--without", "nod", code=3).stderr)
        self.assertIn("a multiple of 8", run(*arguments, "--slots", "12", code=3).stderr)

    def test_train_links_on_several_files(self):
        self.file.write_text(regular_events(2000))
        other = pathlib.Path(self.folder.name) / "other.csv"
        other.write_text(regular_events(1000))
        path = pathlib.Path(self.folder.name) / "pooled.weft"
        arguments = ("train", "links", str(self.file), str(other), "--out", str(path))
        said = json.loads(run(*arguments, "--epochs", "2", "--json").stdout)
        self.assertEqual(check("train_links_pooled", said)["train_events"], 2 * 3000)
        first = path.read_bytes()
        run(*arguments, "--epochs", "2")
        self.assertEqual(path.read_bytes(), first)
        online = ("eval", "links", str(other), "--online", "--json", "--start")
        warm = json.loads(run(*online, str(path)).stdout)["test"]["first"]["historical"]["ap"]
        cold = json.loads(run(*online, "cold").stdout)["test"]["first"]["historical"]["ap"]
        self.assertGreater(warm, cold)

    def test_eval_labels(self):
        self.file.write_text(labelled_events(2000))
        arguments = ("eval", "labels", str(self.file), "--json")
        one = check("eval_labels", json.loads(run(*arguments).stdout))
        self.assertEqual(one["positive"], "label > 0")
        self.assertEqual(one["features"], ["f0"])
        self.assertEqual(one["test"]["reason"], "one seed has no deviation")
        self.assertGreater(one["test"]["ap"], one["split"]["test"]["rate"] + 0.2)
        self.assertAlmostEqual(one["baselines"]["base_rate"]["ap"], one["split"]["test"]["rate"])
        two = check("eval_labels", json.loads(run(*arguments, "--seeds", "1,2").stdout))
        self.assertEqual(two["test"]["ap_by_seed"][0], one["test"]["ap"])
        # By a feature, which then is not read.
        below = ("--column", "f0", "--below", "2", "--reads", "before_batch")
        feature = check("eval_labels", json.loads(run(*arguments, *below).stdout))
        self.assertEqual(feature["positive"], "f0 < 2")
        self.assertEqual(feature["features"], [])
        self.assertIn("target_rate", run("eval", "labels", str(self.file), "--no-features").stdout)

    def test_eval_labels_says_what_is_missing(self):
        self.file.write_text(regular_events(500))
        refused = run("eval", "labels", str(self.file), code=3)
        self.assertIn("expected a column of labels, got none", refused.stderr)
        self.file.write_text(events(500))
        refused = run("eval", "labels", str(self.file), code=3)
        self.assertIn("label > 0 in the train part, got it in 0 of 350", refused.stderr)
        refused = run("eval", "labels", str(self.file), "--column", "f0", code=3)
        self.assertIn("expected a feature f0, got 0 features", refused.stderr)
        refused = run("eval", "labels", str(self.file), "--column", "size", code=2)
        self.assertIn("--column: expected label or a feature", refused.stderr)
        run("eval", "labels", str(self.file), "--above", "1", "--below", "2", code=2)
        run("eval", "labels", str(self.file), "--reads", "now", code=2)

    def test_eval_next_time(self):
        arguments = ("eval", "next_time", str(self.file), "--json")
        one = check("eval_next_time", json.loads(run(*arguments).stdout))
        self.assertEqual(one["of"], "node")
        self.assertEqual(one["split"]["train"]["questions"], one["split"]["train"]["events"])
        self.assertLess(one["split"]["test"]["ended"], one["split"]["test"]["questions"])
        # Who sends is drawn evenly: there is nothing to know but the distribution.
        marginal = one["baselines"]["marginal"]["log_likelihood"]
        self.assertAlmostEqual(one["test"]["log_likelihood"], marginal, delta=0.3)
        flags = ("--of", "pair", "--bins", "8", "--epochs", "2", "--seeds", "1,2")
        pair = check("eval_next_time", json.loads(run(*arguments, *flags).stdout))
        self.assertLessEqual(len(pair["bin_edges_seconds"]), 7)
        self.assertEqual(len(pair["test"]["log_likelihood_by_seed"]), 2)
        self.assertIn("lognormal", run("eval", "next_time", str(self.file)).stdout)

    def test_eval_next_time_says_what_is_missing(self):
        run("eval", "next_time", str(self.file), "--of", "graph", code=2)
        once = [f"a{number},b{number},{number}" for number in range(100)]
        self.file.write_text("\n".join(["src,dst,ts", *once]) + "\n")
        refused = run("eval", "next_time", str(self.file), code=3)
        self.assertIn("expected a source with events at two times", refused.stderr)

    def test_run_gives_the_same_lines_from_stdin(self):
        names = ("predictions", "evaluation")
        outputs = {name: pathlib.Path(self.folder.name) / name for name in names}
        flags = [f"--output={name}={path}" for name, path in outputs.items()]
        run("run", GRAPH, f"--input=events={self.file}", *flags)
        for line in outputs["predictions"].read_text().splitlines():
            check("run_link_scores", json.loads(line))
        self.assertGreater(len(outputs["evaluation"].read_text().splitlines()), 0)
        for line in outputs["evaluation"].read_text().splitlines():
            check("run_link_evaluation", json.loads(line))
        again = run(
            "run",
            GRAPH,
            "--input=events=-",
            "--output=predictions=-",
            "--threads=1",
            "--record-events=1024",
            stdin=self.file.read_text(),
        )
        self.assertEqual(again.stdout, outputs["predictions"].read_text())

    def test_run_reads_the_features_of_the_file(self):
        rows = events(200).splitlines()
        folder = pathlib.Path(self.folder.name)
        plain, featured = folder / "plain.csv", folder / "featured.csv"
        plain.write_text("\n".join(rows) + "\n")
        featured.write_text("\n".join([rows[0] + ",f0"] + [row + ",7" for row in rows[1:]]) + "\n")
        none = folder / "none.pbtxt"
        text = pathlib.Path(NAT_GRAPH).read_text()
        none.write_text(text.replace("learn: true", "learn: true feature_count: 0"))

        def state_hash(graph, file):
            done = run("run", graph, "--input", f"events={file}", "--json")
            return json.loads(done.stderr)["state_hash"]

        unread = state_hash(NAT_GRAPH, plain)
        self.assertNotEqual(state_hash(NAT_GRAPH, featured), unread)
        self.assertEqual(state_hash(none, featured), unread)

    def test_run_takes_two_feeds_in_time_order(self):
        folder = pathlib.Path(self.folder.name)
        graph = folder / "two_feeds.pbtxt"
        graph.write_text(TWO_FEEDS)
        # Mails begin later and come half as often.
        lines = {"calls": ["src,dst,ts"], "mails": ["src,dst,ts"]}
        for number in range(900):
            lines["calls"].append(f"{number % 7},{number % 5},{number}")
        for number in range(300):
            lines["mails"].append(f"{number % 7},{number % 3},{300.5 + 2 * number}")
        inputs = []
        for name, rows in lines.items():
            (folder / name).write_text("\n".join(rows) + "\n")
            inputs.append(f"--input={name}={folder / name}")

        def evaluate(*flags):
            command = ("run", str(graph), "--output=evaluation=-", "--record-events=64")
            return run(*command, *flags).stdout

        reports = evaluate(*inputs)
        said = [check("run_link_evaluation", json.loads(line)) for line in reports.splitlines()]
        times = [one["time_us"] for one in said]
        self.assertEqual(times, sorted(times))
        models = [one["model"] for one in said]
        self.assertEqual(models[:4], ["edgebank"] * 4)  # nobody has sent a mail yet
        self.assertIn(("recency", "edgebank"), list(zip(models, models[1:])))
        self.assertEqual(evaluate(*reversed(inputs), "--threads=4"), reports)
        unknown = run("run", str(graph), f"--input=letters={folder / 'mails'}", code=3)
        self.assertIn("the graph has the inputs calls, mails, got letters", unknown.stderr)

    def test_a_trace_obeys_the_trace_event_format(self):
        path = pathlib.Path(self.folder.name) / "trace.json"
        summary = run("run", GRAPH, f"--input=events={self.file}", f"--trace={path}", "--json")
        trace = json.loads(path.read_text())
        names = {}
        spans = collections.defaultdict(list)
        for event in trace["traceEvents"]:
            self.assertEqual(event["pid"], 1)
            self.assertGreater(event["tid"], 0)  # Perfetto shows 0 as the machine's idle thread
            if event["ph"] == "M":
                names.setdefault(event["name"], {})[event["tid"]] = event["args"]
                continue
            self.assertEqual(event["ph"], "X")
            self.assertEqual(event["name"], names["thread_name"][event["tid"]]["name"])
            self.assertGreaterEqual(event["dur"], 0)
            spans[event["name"]].append((event["ts"], event["ts"] + event["dur"]))
        self.assertEqual(names["process_name"], {1: {"name": "weft"}})
        self.assertEqual(set(names["thread_sort_index"]), set(names["thread_name"]))
        self.assertIn("weft", spans)
        seconds = json.loads(summary.stderr)["seconds"]
        for track in spans.values():
            # In microseconds: all are inside the run, those of one operator do not overlap.
            for (_, end), (begin, _) in zip(sorted(track), sorted(track)[1:]):
                self.assertLessEqual(end, begin + 0.002)
            self.assertLessEqual(max(track)[1] - min(track)[0], seconds * 1e6)
        self.assertEqual(trace["otherData"]["dropped_events"], 0)

    def test_describe_events(self):
        said = check(
            "describe_events",
            json.loads(run("describe", "events", str(self.file), "--json").stdout),
        )
        self.assertEqual((said["events"], said["nodes"], said["features"]), (1500, 32, 0))
        self.assertEqual((said["from_us"], said["to_us"], said["late_by_us"]), (0, 749500000, 0))
        most = said["top_sources"][0]
        self.assertEqual(self.file.read_text().count(f"\n{most['source']},"), most["events"])

        mails = "from\tto\tsent\tf0\na\tb\t2001-01-01T00:00:02Z\t1\na\tc\t2001-01-01\t2\nx\n"
        columns = ("--columns", "src=from,dst=to,ts=sent")
        flags = ("describe", "events", "-", *columns, "--lenient")
        said = check("describe_events", json.loads(run(*flags, "--json", stdin=mails).stdout))
        self.assertEqual((said["events"], said["features"], said["broken_lines"]), (2, 1, 1))
        self.assertEqual(
            (said["late_by_us"], said["from"]), (2000000, "2001-01-01T00:00:00.000000Z")
        )
        self.assertIn("not in time order: up to 2 s late", run(*flags, stdin=mails).stdout)
        nothing = run("describe", "events", "-", "--json", stdin="src,dst,ts\n").stdout
        self.assertIsNone(check("describe_events", json.loads(nothing))["from_us"])
        self.assertIn("expected a column src", run(*flags[:3], stdin=mails, code=3).stderr)

    def test_exit_codes_and_messages(self):
        self.assertIn("--help", run(code=2).stderr)
        run("eval", "links", str(self.file), "--epochs", "0", code=2)
        self.assertIn(
            "before_time", run("eval", "links", str(self.file), "--reads", "now", code=2).stderr
        )
        self.assertIn(
            "did you mean", run("eval", "links", str(self.file), "--model", "recncy", code=2).stderr
        )
        self.assertIn(
            "cannot open",
            run("eval", "links", "/nonexistent.csv", "--model", "recency", code=3).stderr,
        )
        broken = pathlib.Path(self.folder.name) / "broken.csv"
        broken.write_text("src,dst,ts\na,b,1\na,b,x\n")
        self.assertIn(
            "broken.csv:3: ts: expected",
            run("run", GRAPH, f"--input=events={broken}", code=3).stderr,
        )
        lenient = run("run", GRAPH, f"--input=events={broken}", "--lenient")
        self.assertIn("1 of 2 lines left out", lenient.stderr)
        self.assertIn("serve", run("--help").stdout)
        self.assertTrue(run("serve", "--help").stdout.startswith("Examples:"))
        self.assertIn(
            "127.0.0.1:1",
            run("predict", "links", "--to", "127.0.0.1:1", "--source", "a", code=1).stderr,
        )

    def test_misspelt_arguments(self):
        for arguments, said in {
            ("serv",): 'weft: unknown command "serv"; did you mean "serve"?\nRun `weft --help`',
            ("frobnicate",): 'weft: unknown command "frobnicate"\n',
            ("--verson",): "weft: unknown option --verson\n",
            ("ingest", "event", "a.csv"): 'ingest: unknown command "event"; did you mean "events"?',
            ("serve", "--lsten", "a:1"): 'serve: unknown option --lsten; did you mean "--listen"?',
            ("serve", "--dta-dir=a"): 'serve: unknown option --dta-dir; did you mean "--data-dir"?',
            ("predict", "links", "--sorce", "a"): (
                'links: unknown option --sorce; did you mean "--source"?\n'
                "Run `weft predict links --help` for how"
            ),
            ("eval", "links", "a.csv", "--bogus-flag"): "links: unknown option --bogus-flag\n",
            ("ingest", "events", "a.csv", "--quote"): "ingest events: unknown option --quote",
            ("version", "now"): 'weft version: unexpected argument "now"\n',
            ("serve", "--features", "x"): "weft: --features: Value x not in range 0 to 4096\n",
            ("graph",): "weft: A subcommand is required\nRun `weft graph --help`",
        }.items():
            with self.subTest(arguments):
                self.assertIn(said, run(*arguments, code=2).stderr)

    def test_a_taken_port(self):
        server, address = self.serve()
        for flags in (
            ("--listen", address, "--http-listen", "none"),
            ("--listen", "127.0.0.1:0", "--http-listen", address),
        ):
            refused = run("serve", "--data-dir", self.folder.name + "/other", *flags, code=1)
            field = "http_listen" if flags[-1] == address else "listen"
            self.assertEqual(
                refused.stderr,
                f"weft: {field}: cannot listen on {address}; is the port in use?\n",
            )
        drain(server)

    def train(self, *flags):
        """Trains on self.file; returns what was said and the path of the model."""
        path = pathlib.Path(self.folder.name) / "model.weft"
        said = json.loads(
            run("train", "links", str(self.file), "--out", str(path), "--json", *flags).stdout
        )
        return check("train_links", said), path

    def test_train_links(self):
        self.assertTrue(run("train", "links", "--help").stdout.startswith("Examples:"))
        self.file.write_text(regular_events(2000))
        said, path = self.train("--epochs", "2")
        self.assertEqual((said["train_events"], said["validation_events"]), (1700, 300))
        self.assertEqual(len(said["validation_ap"]), 2)
        self.assertEqual(said["best_validation_ap"], said["validation_ap"][said["best_epoch"] - 1])
        self.assertGreater(said["best_validation_ap"], 0.6)
        first = path.read_bytes()
        again, _ = self.train("--epochs", "2")
        self.assertEqual((again["digest"], path.read_bytes()), (said["digest"], first))
        other, _ = self.train("--epochs", "2", "--seed", "2")
        self.assertNotEqual(other["digest"], said["digest"])

        out = str(path)
        run("train", "links", str(self.file), code=2)
        run("train", "links", str(self.file), "--out", out, "--epochs", "0", code=2)
        misspelt = run("train", "links", str(self.file), "--out", out, "--model", "nta", code=2)
        self.assertIn("did you mean", misspelt.stderr)
        refused = run("train", "links", str(self.file), "--out", out, "--model", "recency", code=3)
        self.assertIn("expected a model that learns, got recency", refused.stderr)
        self.assertIn(
            "/nonexistent.csv",
            run("train", "links", "/nonexistent.csv", "--out", out, code=3).stderr,
        )
        unwritable = run(
            "train",
            "links",
            str(self.file),
            "--out",
            "/nonexistent/model.weft",
            "--epochs",
            "1",
            code=3,
        )
        self.assertIn("/nonexistent/model.weft: cannot be written", unwritable.stderr)

    def test_bench(self):
        """What is measured works and is said in full; figures are for quiet machines."""
        small = ("--nodes", "200", "--json")
        folder = pathlib.Path(self.folder.name)
        ingest = json.loads(
            run("bench", "ingest", "--events", "5000", "--folder", str(folder), *small).stdout
        )
        self.assertEqual(check("bench_ingest", ingest)["learning"]["rejected"], 0)
        model = json.loads(
            run("bench", "link_model", "--model", "recency", "--events", "5000", *small).stdout
        )
        check("bench_link_model", model)
        few = ("--events", "5000", "--candidates", "100", "--requests", "3")
        rank = check("bench_link_rank", json.loads(run("bench", "link_rank", *few, *small).stdout))
        self.assertEqual([one["threads"] for one in rank["runs"]], [1, 2])
        run("bench", "link_rank", "--candidates", "201", *small, code=2)
        cache = check(
            "bench_neighbor_cache",
            json.loads(run("bench", "neighbor_cache", "--events", "5000", *small).stdout),
        )
        self.assertEqual(
            [(one["batch"], one["hops"]) for one in cache["runs"]],
            [(32, 1), (32, 2), (64, 1), (64, 2)],
        )
        predict = json.loads(
            run(
                "bench",
                "link_predict",
                "--rate",
                "50",
                "--seconds",
                "1",
                "--ingest-rate",
                "2000",
                "--restart-events",
                "500",
                "--folder",
                str(folder),
                *small,
            ).stdout
        )
        self.assertEqual(check("bench_link_predict", predict)["requests"], 50)
        self.assertGreaterEqual(predict["restart"]["events"], 500)
        self.assertEqual(sorted(path.name for path in folder.iterdir()), ["events.csv"])
        self.assertIn("--folder", run("bench", "ingest", "--folder", "/nonexistent", code=3).stderr)
        run("bench", "ingest", "--events", "0", code=2)

    def test_bench_accuracy(self):
        folder = pathlib.Path(self.folder.name) / "sets"
        folder.mkdir()
        (folder / "one.csv").write_text(events(300))
        (folder / "two.csv").write_text(events(300, seed=2))
        (folder / "two_nodes.csv").write_text("id,name\n0,zero\n")
        arguments = ("bench", "accuracy", "--data", str(folder), "--seeds", "1", "--epochs", "1")
        done = run(*arguments, "--models", "weft,recency", "--json")
        found = check("bench_accuracy", json.loads(done.stdout))
        self.assertEqual([one["set"] for one in found["sets"]], ["one", "two"])
        self.assertEqual(list(found["sets"][1]["models"]), ["weft", "recency"])
        self.assertEqual([one["file"] for one in found["skipped"]], ["two_nodes.csv"])
        self.assertIn("two_nodes.csv", done.stderr)
        one = json.loads(
            run(
                "eval", "links", str(folder / "one.csv"), "--epochs=1", "--model=weft", "--json"
            ).stdout
        )
        self.assertEqual(
            found["sets"][0]["models"]["weft"]["random_ap"], one["test"]["random"]["ap"]
        )
        lines = run(*arguments, "--sets", "two").stdout.splitlines()
        self.assertEqual([line.split()[1] for line in lines[2:]], ["set", "---", "two", "mean"])
        self.assertIn("two", run(*arguments, "--sets", "tow", code=3).stderr)
        run(*arguments, "--models", "wept", code=2)
        (folder / "two.csv").unlink()
        (folder / "one.csv").unlink()
        self.assertIn("events", run(*arguments, code=3).stderr)

    def scores_of_a_service(self, *flags):
        """Average precision of weft, which does not learn there, over 2000 events; its scores."""
        graph = pathlib.Path(self.folder.name) / "still.pbtxt"
        graph.write_text(pathlib.Path(GRAPH).read_text().replace("learn: true", "cold_start: true"))
        server, address = self.serve("--graph", str(graph), *flags)
        watch = subprocess.Popen(
            [WEFT, "watch", "predictions", "--to", address, "--events", "2000", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.assertIn("watching", watch.stderr.readline())
        run("ingest", "events", str(self.file), "--to", address)
        lines = [json.loads(line) for line in watch.communicate(timeout=60)[0].splitlines()]
        drain(server)
        self.assertEqual(len(lines), 2000)
        return average_precision(lines), [line["score"] for line in lines]

    def test_a_service_starts_from_trained_weights(self):
        self.file.write_text(regular_events(2000))
        _, path = self.train("--epochs", "4")
        data = pathlib.Path(self.folder.name) / "data"
        untrained, _ = self.scores_of_a_service()
        shutil.rmtree(data)
        trained, scores = self.scores_of_a_service("--model", str(path))
        self.assertGreater(trained, untrained)
        shutil.rmtree(data)
        by_spec = pathlib.Path(GRAPH).read_text().replace("learn: true", f'model_file: "{path}"')
        graph = pathlib.Path(self.folder.name) / "by_spec.pbtxt"
        graph.write_text(by_spec)
        out = pathlib.Path(self.folder.name) / "out.jsonl"
        run("run", str(graph), f"--input=events={self.file}", f"--output=predictions={out}")
        self.assertEqual(
            [json.loads(line)["score"] for line in out.read_text().splitlines()], scores
        )

    def test_model_files_that_a_service_refuses(self):
        said, path = self.train("--epochs", "1")
        flags = (
            "serve",
            "--data-dir",
            self.folder.name + "/data",
            "--listen",
            "127.0.0.1:0",
            "--http-listen",
            "none",
        )
        self.assertIn(
            "/nonexistent.weft: No such file",
            run(*flags, "--model", "/nonexistent.weft", code=3).stderr,
        )
        no_weft = pathlib.Path(self.folder.name) / "no_weft.pbtxt"
        no_weft.write_text(
            'input { name: "events" type: "EventBatch" }\n'
            'node { name: "a" operator: "edgebank" input: "EVENTS:events" output: "SCORES:s" }\n'
            'output { name: "predictions" stream: "s" }\n'
        )
        refused = run(*flags, "--graph", str(no_weft), "--model", str(path), code=3)
        self.assertIn('expected a node with the operator "weft", got none', refused.stderr)
        elsewhere = pathlib.Path(self.folder.name) / "elsewhere.pbtxt"
        elsewhere.write_text(
            pathlib.Path(GRAPH).read_text().replace("learn: true", 'model_file: "other.weft"')
        )
        refused = run(*flags, "--graph", str(elsewhere), "--model", str(path), code=3)
        self.assertIn('node "weft" starts from other.weft already', refused.stderr)
        whole = path.read_bytes()
        path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
        self.assertIn("its checksum does not fit", run(*flags, "--model", str(path), code=3).stderr)
        path.write_bytes(whole[:8] + (2).to_bytes(4, "little") + whole[12:])
        self.assertIn(
            "expected model file format 1, got 2", run(*flags, "--model", str(path), code=3).stderr
        )
        self.assertIn(
            "expected a weft model file", run(*flags, "--model", str(self.file), code=3).stderr
        )

    def serve(self, *flags):
        server, said = program.serve(self.folder.name + "/data", *flags)
        return server, said["address"]

    def test_the_log_of_a_service(self):
        data = self.folder.name + "/data"
        server, address = self.serve()
        self.file.write_text(events(1500) + "late,1,3,0\n")
        done = json.loads(
            run(
                "ingest", "events", str(self.file), "--to", address, "--resume", "p", "--json"
            ).stdout
        )
        # The whole file is one batch, which is judged as one.
        self.assertEqual(done["rejected_by_reason"], {})
        self.file.write_text(self.file.read_text() + "late,1,3,0\n")
        run("ingest", "events", str(self.file), "--to", address, "--resume", "p")
        self.assertIn("in use by process", run("run", GRAPH, "--log", data, code=1).stderr)
        drain(server)

        from_log = run("run", GRAPH, "--log", data, "--output=predictions=-", "--json")
        summary = check("run", json.loads(from_log.stderr))
        self.assertEqual((summary["events"], summary["nodes"]), (1501, 33))
        self.file.write_text(events(1500) + "late,1,3,0\n")
        from_file = run(
            "run",
            GRAPH,
            f"--input=events={self.file}",
            "--record-events=2048",
            "--output=predictions=-",
            "--json",
        )
        self.assertEqual(
            check("run", json.loads(from_file.stderr))["state_hash"], summary["state_hash"]
        )
        self.assertEqual(from_file.stdout, from_log.stdout)
        self.assertIn(
            f"state hash {summary['state_hash']}", run("run", GRAPH, "--log", data).stderr
        )

        records = [
            check("data_log", json.loads(line))
            for line in run("data", "log", data, "--json").stdout.splitlines()
        ]
        self.assertEqual(
            [
                (record["producer"], record["first_seq"], record["seq_count"], record["events"])
                for record in records
            ],
            [("p", 0, 1501, 1501), ("p", 1501, 1, 0)],
        )
        self.assertEqual(records[1]["rejects"], [{"seq": 1501, "reason": "LATE"}])
        self.assertIn(
            "producer p seq 1501 to 1501, 0 events, 1501 LATE", run("data", "log", data).stdout
        )
        self.assertIn(
            "expected one of events, got nope",
            run("data", "log", data, "--feed", "nope", code=3).stderr,
        )
        for command in (("run", GRAPH, "--log"), ("data", "log")):
            self.assertIn(
                "expected a data directory, found none",
                run(*command, "/nonexistent", code=3).stderr,
            )
        run("run", GRAPH, code=2)
        run("run", GRAPH, "--log", data, f"--input=events={self.file}", code=2)
        self.assertIn("--log", run("completion").stdout)

    def test_times_in_another_unit(self):
        server, address = self.serve()
        now = int(time.time())
        self.file.write_text(f"src,dst,ts\na,b,{now}\na,b,{now * 1000}\na,b,{now + 1}\n")
        done = run("ingest", "events", str(self.file), "--to", address, "--json")
        self.assertEqual(json.loads(done.stdout)["rejected_by_reason"], {"TOO_FAR_AHEAD": 1})
        self.assertIn(
            "events.csv:3: not accepted: TOO_FAR_AHEAD, its time is far in the future: is it in",
            done.stderr,
        )
        drain(server)

    def test_history(self):
        self.file.write_text("src,dst,ts\na,b,1\nb,a,2\na,a,3\na,c,4\n")
        server, address = self.serve()
        run("ingest", "events", str(self.file), "--to", address)
        asked = ("query", "history", "a", "--to", address)

        def history(*flags):
            said = check("query_history", json.loads(run(*asked, *flags, "--json").stdout))
            return said, [(event["peer"], event["direction"]) for event in said["events"]]

        said, found = history()
        self.assertEqual(found, [("c", "sent"), ("a", "sent"), ("b", "received"), ("b", "sent")])
        self.assertEqual((said["known"], said["more"], said["forgotten"]), (True, False, False))
        self.assertIsNone(said["complete_from_us"])
        said, found = history("--limit", "1", "--at", "1970-01-01T00:00:03Z")
        self.assertEqual((found, said["more"]), ([("b", "received")], True))
        self.assertEqual(said["events"][0]["time_us"], 2_000_000)
        self.assertEqual(history("--at", "2000000")[1], [("b", "sent")])
        self.assertEqual(
            run(*asked, "--at", "2000000").stdout, "1970-01-01T00:00:01.000000Z  -> b\n"
        )
        unknown = run("query", "history", "nobody", "--to", address)
        self.assertEqual(unknown.stdout, "nobody (never seen)\n")
        self.assertIn("--at: expected a time as", run(*asked, "--at", "soon", code=2).stderr)
        asked = ("predict", "links", "--source", "a", "--to", address, "--at")
        said = check("predict_links", json.loads(run(*asked, "3000000", "--json").stdout))
        self.assertEqual((said["candidates"], said["as_of_us"]), (2, 3_000_000))
        self.assertIn("as of 1970-01-01T00:00:03.000000Z by weft of 2:", run(*asked, "3e6").stdout)
        refused = run(*asked, "1", "--coverage", "0.9", code=1)
        self.assertIn("coverage: expected none", refused.stderr)
        drain(server)

    def test_a_service_from_start_to_drain(self):
        server, address = self.serve()
        watch = subprocess.Popen(
            [WEFT, "watch", "predictions", "--to", address, "--events", "1500", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.assertIn("watching", watch.stderr.readline())
        done = check(
            "ingest_events",
            json.loads(run("ingest", "events", str(self.file), "--to", address, "--json").stdout),
        )
        self.assertEqual((done["events"], done["applied_seq"], done["rejected"]), (1500, 1500, 0))
        lines, _ = watch.communicate(timeout=60)
        self.assertEqual(len(lines.splitlines()), 1500)
        for line in lines.splitlines():
            check("watch_predictions", json.loads(line))
        asked = ("predict", "links", "--source", "user 3", "--top", "4", "--json", "--to")
        before = check("predict_links", json.loads(run(*asked, address).stdout))
        self.assertEqual(len(before["targets"]), 4)
        asked_set = ("predict", "links", "--source", "user 3", "--coverage", "0.9", "--to", address)
        found = check("predict_links", json.loads(run(*asked_set, "--json").stdout))["coverage"]
        self.assertEqual((found["asked"], found["events"]), (0.9, 512))
        self.assertAlmostEqual(found["held"], 0.9, delta=0.05)
        self.assertIn("probability of 0.9", run(*asked_set).stdout)
        drain(server)

        server, address = self.serve()
        after = check("predict_links", json.loads(run(*asked, address).stdout))
        self.assertEqual(after, before)
        self.file.write_text(events(1500) + "late,1,3000,0\n")
        resumed = json.loads(
            run(
                "ingest",
                "events",
                str(self.file),
                "--to",
                address,
                "--resume",
                done["producer"],
                "--json",
            ).stdout
        )
        self.assertEqual((resumed["events"], resumed["durable_seq"]), (1, 1501))
        self.file.write_text(events(1502, seed=2))
        changed = run(
            "ingest",
            "events",
            str(self.file),
            "--to",
            address,
            "--resume",
            done["producer"],
            code=1,
        )
        self.assertIn("the file has changed", changed.stderr)
        drain(server)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
