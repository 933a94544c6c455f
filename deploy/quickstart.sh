#!/usr/bin/env bash
# From a bare Debian 12 to predictions: installs, builds, starts a service on embedded storage,
# streams real events in and shows what it predicts. As root or with sudo.
#   deploy/quickstart.sh                      20,000 US flights (npm package vega-datasets)
#   deploy/quickstart.sh --input FILE         your own events: CSV (src,dst,ts[,label,f0..]) or JSON
#   deploy/quickstart.sh --input FILE --columns src=from,dst=to,ts=sent --time-unit ms
#     --preset, --format, --time-unit, --columns and --lenient are those of `weft ingest events`
#   deploy/quickstart.sh --seconds N          streams the events in N seconds (20)
#   deploy/quickstart.sh --keep               leaves the service running
set -uo pipefail
start="$PWD"
cd "$(dirname "$0")/.."
source deploy/steps.sh

usage() {
  echo "quickstart.sh: $*" >&2
  exit 2
}

keep=no input="" seconds=20 read_flags=()
while [ "$#" -gt 0 ]; do
  case "$1" in
    --keep) keep=yes ;;
    --input) input="${2:?--input needs a file}"; shift ;;
    --seconds) seconds="${2:?--seconds needs a number}"; shift ;;
    --preset | --format | --time-unit | --columns)
      read_flags+=("$1" "${2:?$1 needs a value}"); shift ;;
    --lenient) read_flags+=("$1") ;;
    -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) usage "expected --input FILE, --seconds N, --keep or how to read the file, got $1" ;;
  esac
  shift
done
[[ "$seconds" =~ ^[0-9]+([.][0-9]+)?$ ]] || usage "--seconds: expected a number, got $seconds"
[ -n "$input" ] || [ "${#read_flags[@]}" -eq 0 ] || usage "${read_flags[0]}: only with --input"
# A path is relative to where the user is, not to the repository.
[[ -z "$input" || "$input" = /* ]] || input="$start/$input"
[[ -z "$input" || -f "$input" ]] || usage "--input: expected a file, got $input"

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
  local member=package/data/flights-20k.json
  mkdir -p "$cache" &&
    (cd "$work" && npm pack vega-datasets --fetch-retries 1 > /dev/null 2> npm &&
      tar xzf vega-datasets-*.tgz "$member") &&
    mv "$work/$member" "$flights" && echo "fetched: $flights" && return 0
  tail -n 3 "$work/npm" >&2
  echo "npm cannot fetch vega-datasets; --input FILE takes your own events" >&2
  return 1
}

# What the service has to know of the file, and at how many times its own speed it is streamed.
describe_input() {
  "$weft" describe events "$file" "${read_flags[@]}" --top 3 --json > "$work/description" ||
    return 1
  local field
  mapfile -t field < <(python3 - "$work/description" "$seconds" << 'END'
import json, math, sys
said = json.load(open(sys.argv[1]))
if said["events"] == 0:
    sys.exit(said["reason"])
print(said["features"])
print(math.ceil(said["events"] / 10))
print(math.ceil(said["late_by_us"] / 1e6))
print(max((said["to_us"] - said["from_us"]) / 1e6, 1e-3) / max(float(sys.argv[2]), 1e-3))
print(*(top["source"] for top in said["top_sources"]), sep="\n")
END
  )
  [ "${#field[@]}" -ge 4 ] || return 1
  features="${field[0]}" report_every="${field[1]}" late_seconds="${field[2]}" speed="${field[3]}"
  sources=("${field[@]:4}")
  "$weft" describe events "$file" "${read_flags[@]}" --top 0 2> /dev/null
  echo "streamed at $(printf '%.6g' "$speed") times its own speed"
}

ready_field() {
  python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$work/ready" "$1"
}

start_service() {
  mkdir -p "$work/data"
  "$weft" serve --data-dir "$work/data" \
    --features "$features" --lateness "$late_seconds" \
    --listen 127.0.0.1:0 --http-listen 127.0.0.1:0 --json > "$work/ready" 2> "$work/log" &
  local service=$!
  pids+=("$service")
  local tries
  for tries in $(seq 100); do
    [ -s "$work/ready" ] && break
    kill -0 "$service" 2> /dev/null || { cat "$work/log" >&2; return 1; }
    sleep 0.1
  done
  address="$(ready_field address)" && http="$(ready_field http_address)" || return 1
  echo "gRPC on $address, metrics on http://$http/metrics"
}

stream_events() {
  local output
  for output in predictions recency edgebank; do
    "$weft" watch predictions --to "$address" --output "$output" --summary-every "$report_every" \
      > "$work/$output" 2> /dev/null &
    pids+=("$!")
    watchers+=("$!")
  done
  sleep 0.5
  "$weft" ingest events "$file" "${read_flags[@]}" --to "$address" --speed "$speed" || return 1
  sleep 0.5
}

show() {
  echo "accuracy as it ran: average precision over the latest 4096 events, each scored before the"
  echo "model saw it"
  sort -k2,2n -k1,1 -u <(grep -h AP "$work"/{predictions,recency,edgebank})
  echo
  echo "who comes next:"
  local source
  for source in "${sources[@]}"; do
    "$weft" predict links --to "$address" --source="$source" --top 5 || return 1
  done
}

tell() {
  echo "episodes by level, each a run of one shade, and the ones that differ most from what they"
  echo "are part of: how long, how much, who"
  "$weft" query timeline --to "$address" --width 80
}

step "packages" install_packages
step "release build" build release weft
if [ -n "$input" ]; then
  file="$input"
else
  step "flights" fetch_flights
  file="$flights"
  read_flags=(--preset vega-flights)
fi
watchers=()
step "input" describe_input
step "service" start_service
step "events" stream_events
step "predictions" show
step "what happened" tell

say "what to try next"
cat << END
  $weft predict links --to $address --source ID --top 10
  $weft query top --to $address --level 2
  $weft watch episodes --to $address
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
