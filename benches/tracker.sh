#!/bin/bash
# The tracker under load on loopback, beside others where they are installed: tracker on core 0, load on core 1.
# FYRIS names our program; SECONDS_EACH how long each is loaded; needs aquatic_udp_load_test for UDP and wrk for HTTP.
set -euo pipefail
cd "$(dirname "$0")"
fyris=${FYRIS:?names our program}
each=${SECONDS_EACH:-12}
port=${PORT:-7250}
work=$(mktemp -d)
running=
trap '[[ -z $running ]] || kill "$running" 2>/dev/null || true; rm -rf "$work"' EXIT

has() { command -v "$1" >/dev/null; }

start() {
    taskset -c 0 "$@" >"$work/out" 2>&1 &
    running=$!
    sleep 2
}

finish() {
    printf '%-14s %6d KiB at most\n' "$1" "$(awk '/VmHWM/ {print $2}' "/proc/$running/status")"
    kill "$running"
    wait "$running" 2>/dev/null || true
    running=
    port=$((port + 1))
}

udp() {
    aquatic_udp_load_test -p | sed -e "s/127.0.0.1:3000/127.0.0.1:$port/" -e "s/^duration = .*/duration = $each/" \
        -e "s/^summarize_last = .*/summarize_last = $((each - 3))/" -e 's/^weight_announce.*/weight_announce = 100/' \
        -e 's/^number_of_torrents.*/number_of_torrents = 100000/' \
        -e 's/^number_of_peers.*/number_of_peers = 1000000/' >"$work/load"
    taskset -c 1 aquatic_udp_load_test -c "$work/load" | grep -E 'Average responses per second|Peers per announce' \
        | sed "s/^/$1 /"
    finish "$1"
}

http() {
    taskset -c 1 wrk -t1 -c64 -d"${each}s" --latency -s tracker.lua "http://127.0.0.1:$port" \
        | grep -E 'Requests/sec|99%|Non-2xx' | sed "s/^/$1 /"
    finish "$1"
}

ours() { start "$fyris" tracker --http "127.0.0.1:$port" --udp "127.0.0.1:$port"; }

if has aquatic_udp_load_test; then
    ours; udp fyris
    if has aquatic_udp; then
        aquatic_udp -p | sed -e "s/^address_ipv4 = .*/address_ipv4 = \"127.0.0.1:$port\"/" -e 's/^use_ipv6 = .*/use_ipv6 = false/' \
            -e 's/^max_response_peers = .*/max_response_peers = 50/' >"$work/aquatic"
        start aquatic_udp -c "$work/aquatic"; udp aquatic_udp
    fi
    if has opentracker; then start opentracker -i 127.0.0.1 -P "$port" -p "$port"; udp opentracker; fi
else
    echo 'not run: UDP (cargo install aquatic_udp_load_test aquatic_udp)'
fi
if has wrk; then
    ours; http fyris
    if has opentracker; then start opentracker -i 127.0.0.1 -P "$port" -p "$port"; http opentracker; fi
else
    echo 'not run: HTTP (wrk)'
fi
