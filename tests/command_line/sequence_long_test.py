"""The last of a million records of a series costs as little as the first hundred thousand, in the
same memory. Label long. usage: sequence_long_test.py WEFT ROOT"""

import json

from program import check, run


def main():
    for model, records in (("weft", 1_000_000), ("htm", 1_000_000)):
        arguments = ("--model", model, "--records", str(records), "--series", "1", "--json")
        found = run("bench", "sequence", *arguments, seconds=3600).stdout
        parts = check("bench_sequence", json.loads(found))["growing"]["parts"]
        print(model, "us a record:", [round(part["us_per_record"], 2) for part in parts])
        print(model, "KB:", [part["bytes"] >> 10 for part in parts])
        if parts[-1]["bytes"] > 1.05 * parts[1]["bytes"]:
            raise AssertionError(f"{model}: expected memory to stay, got {parts[-1]['bytes']}")


if __name__ == "__main__":
    main()
