#!/usr/bin/env bash
# From a bare Debian 12 to predictions: installs, builds, starts a service on embedded storage, streams real events in and
# shows what it predicts. As root or with sudo.
#   deploy/quickstart.sh                    20,000 US flights (npm package vega-datasets)
#   deploy/quickstart.sh --input FILE.csv   your own events (src,dst,ts[,label,f0..])
#   deploy/quickstart.sh --keep             leaves the service running
set -uo pipefail
cd "$(dirname "$0")/.."
source deploy/steps.sh

keep=no input="" seconds=20
while [ "$#" -gt 0 ]; do
  case "$1" in
    --keep) keep=yes ;;
    --input) input="${2:?--input needs a file}"; shift ;;
    --seconds) seconds="${2:?--seconds needs a number}"; shift ;;
    -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "quickstart.sh: expected --keep, --input FILE or --seconds N, got $1" >&2; exit 2 ;;
  esac
  shift
done

weft=build/release/weft
cache="${XDG_CACHE_HOME:-$HOME/.cache}/weft"
work="$(mktemp -d)"
pids=()

finish() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2> /dev/null; done
  [ "${#pids[@]}" -gt 0 ] && wait "${pids[@]}" 2> /dev/null
  rm -rf "$work"
}
trap finish EXIT

fetch_flights() {
  flights="$cache/flights-20k.json"
  [ -s "$flights" ] && { echo "cached: $flights"; return 0; }
  mkdir -p "$cache" &&
    (cd "$work" && npm pack --silent vega-datasets > /dev/null && tar xzf vega-datasets-*.tgz package/data/flights-20k.json) &&
    mv "$work/package/data/flights-20k.json" "$flights" && echo "fetched: $flights"
}

# Seconds of event time in the file, divided by the wanted seconds; and the features of an event.
measure_input() {
  local report
  report="$("$weft" eval links "${read_flags[@]}" "$file" --model edgebank --no-inductive --json 2> "$work/measure")" ||
    { cat "$work/measure" >&2; return 1; }
  speed="$(printf '%s' "$report" | python3 -c "
import json, sys
split = json.load(sys.stdin)['split']
span = (split['test']['to_us'] - split['train']['from_us']) / 1e6
print(max(span, 1e-3) / $seconds)")"
  echo "$file: streamed at $(printf '%.0f' "$speed") times its own speed"
}

start_service() {
  mkdir -p "$work/data"
  "$weft" serve --data-dir "$work/data" --listen 127.0.0.1:0 --http-listen 127.0.0.1:0 --json \
    > "$work/ready" 2> "$work/log" &
  local service=$!
  pids+=("$service")
  local tries
  for tries in $(seq 100); do
    [ -s "$work/ready" ] && break
    kill -0 "$service" 2> /dev/null || { cat "$work/log" >&2; return 1; }
    sleep 0.1
  done
  address="$(python3 -c "import json; print(json.load(open('$work/ready'))['address'])")" || return 1
  http="$(python3 -c "import json; print(json.load(open('$work/ready'))['http_address'])")"
  echo "gRPC on $address, metrics on http://$http/metrics"
}

stream_events() {
  local output
  for output in predictions recency edgebank; do
    "$weft" watch predictions --to "$address" --output "$output" --summary-every 2000 > "$work/$output" 2> /dev/null &
    pids+=("$!")
    watchers+=("$!")
  done
  sleep 0.5
  "$weft" ingest events "$file" "${read_flags[@]}" --no-features --to "$address" --speed "$speed" || return 1
  sleep 0.5
}

show() {
  echo "accuracy as it ran (average precision over the latest 4096 events, each scored before the model saw it):"
  cat "$work/predictions" "$work/recency" "$work/edgebank" 2> /dev/null | grep AP | sort -k2,2n -k1,1 | uniq
  echo
  echo "who comes next:"
  local source
  for source in $sources; do "$weft" predict links --to "$address" --source "$source" --top 5; done
}

step "packages" install_packages
step "release build" build release weft
read_flags=()
if [ -n "$input" ]; then
  file="$input"
else
  step "flights" fetch_flights
  file="$flights"
  read_flags=(--preset vega-flights)
fi
watchers=()
step "input" measure_input
step "service" start_service
step "events" stream_events
sources="$("$weft" watch predictions --help > /dev/null; timeout 20 "$weft" run deploy/graphs/links.pbtxt "${read_flags[@]}" \
  --input events="$file" --output predictions=- 2> /dev/null | head -5000 |
  python3 -c "
import collections, json, sys
count = collections.Counter(json.loads(line)['source'] for line in sys.stdin)
print(' '.join(source for source, _ in count.most_common(3)))")"
step "predictions" show

say "what to try next"
cat << END
  $weft predict links --to $address --source ID --top 10
  $weft watch predictions --to $address
  $weft eval links FILE.csv --epochs 3
  $weft run deploy/graphs/links.pbtxt --input events=FILE.csv --output predictions=out.jsonl
END
if [ "$keep" = yes ]; then
  kill "${watchers[@]}" 2> /dev/null
  trap - EXIT
  echo "the service goes on: process ${pids[0]}, data in $work/data; end it with: kill ${pids[0]}"
else
  echo "the service ends with this script (--keep leaves it running)"
fi
