"""The last of ten million snapshots costs as little as the first, in bounded memory. Label long.
usage: hierarchy_long_test.py WEFT ROOT"""

import json

from program import check, run


def main():
    kept = ("--leaves", "65536", "--keep", "500000")
    arguments = ("bench", "hierarchy", "--snapshots", "10000000", *kept, "--json")
    found = check("bench_hierarchy", json.loads(run(*arguments, seconds=3600).stdout))
    first, *_, last = parts = found["parts"]
    print("us a snapshot:", [round(part["us_per_snapshot"], 2) for part in parts])
    print("peak MB:", [part["peak_rss_bytes"] >> 20 for part in parts])
    print("records touched a snapshot:", first["touched_records_per_snapshot"], "at first,")
    print(last["touched_records_per_snapshot"], "in the end")
    for name, limit, before in (
        ("touched_records_per_snapshot", 1.1, first),
        ("tree_bytes", 1.05, parts[1]),
        ("peak_rss_bytes", 1.01, parts[1]),
    ):
        if last[name] > limit * before[name]:
            raise AssertionError(f"{name}: expected about {before[name]}, got {last[name]}")


if __name__ == "__main__":
    main()
