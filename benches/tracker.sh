#!/bin/bash
# The tracker under load on loopback, beside others where they are installed: tracker on core 0, load on core 1, all of them in
# turn, several times over. Prints a table of medians and, where TABLE names a document, puts it between its two marks there.
#
# FYRIS names our program; ROUNDS how often, SECONDS_EACH how long each is loaded. UDP needs aquatic_udp_load_test, HTTP wrk.
set -euo pipefail
cd "$(dirname "$0")"
fyris=${FYRIS:?names our program}
each=${SECONDS_EACH:-12}
rounds=${ROUNDS:-3}
port=${PORT:-7250}
work=$(mktemp -d)
running=
trap '[[ -z $running ]] || kill "$running" 2>/dev/null || true; rm -rf "$work"' EXIT

has() { command -v "$1" >/dev/null; }

start() {
    port=$((port + 1))
    case $1 in
        fyris) set -- "$fyris" tracker --http "127.0.0.1:$port" --udp "127.0.0.1:$port" ;;
        aquatic_udp | aquatic_http)
            "$1" -p | sed -e "s/0\.0\.0\.0:3000/127.0.0.1:$port/" -e 's/^max_peers = .*/max_peers = 50/' >"$work/config"
            set -- "$1" -c "$work/config"
            ;;
        opentracker) set -- opentracker -i 127.0.0.1 -P "$port" -p "$port" ;;
    esac
    taskset -c 0 "$@" >"$work/out" 2>&1 &
    running=$!
    sleep 1
}

# Way, tracker, answers a second, peers an answer or 99th percentile, KiB at most, CPU seconds.
note() {
    local cpu memory
    cpu=$(awk -v ticks="$(getconf CLK_TCK)" '{print ($14 + $15) / ticks}' "/proc/$running/stat")
    memory=$(awk '/VmHWM/ {print $2}' "/proc/$running/status")
    echo "$1 $2 $3 $4 $memory $cpu" | tee -a "$work/results"
    kill "$running"
    wait "$running" 2>/dev/null || true
    running=
}

udp() {
    start "$1"
    aquatic_udp_load_test -p | sed -e "s/127.0.0.1:3000/127.0.0.1:$port/" -e "s/^duration = .*/duration = $each/" \
        -e "s/^summarize_last = .*/summarize_last = $((each - 3))/" -e 's/^weight_connect.*/weight_connect = 1/' \
        -e 's/^weight_announce.*/weight_announce = 100/' -e 's/^number_of_torrents.*/number_of_torrents = 100000/' \
        -e 's/^number_of_peers.*/number_of_peers = 1000000/' >"$work/load"
    local said
    said=$(taskset -c 1 aquatic_udp_load_test -c "$work/load" 2>/dev/null || true)
    note UDP "$1" "$(awk '/Average responses per second/ {last = $NF} END {print last}' <<<"$said")" \
        "$(awk '/Peers per announce response:/ {last = $NF} END {print last}' <<<"$said")"
}

http() {
    start "$1"
    local said
    said=$(taskset -c 1 wrk -t1 -c64 -d"${each}s" --latency -s tracker.lua "http://127.0.0.1:$port")
    ! grep Non-2xx <<<"$said" || echo "$1 refused some of it" >&2
    note HTTP "$1" "$(awk '/Requests\/sec/ {print $2}' <<<"$said")" "$(awk '/ 99%/ {print $2}' <<<"$said")"
}

for _ in $(seq "$rounds"); do
    if has aquatic_udp_load_test; then
        for tracker in fyris aquatic_udp; do
            [ "$tracker" = fyris ] || has "$tracker" || continue
            udp "$tracker"
        done
    else
        echo 'not run: UDP (cargo install aquatic_udp_load_test aquatic_udp)'
    fi
    if has wrk; then
        for tracker in fyris aquatic_http opentracker; do
            [ "$tracker" = fyris ] || has "$tracker" || continue
            http "$tracker"
        done
    else
        echo 'not run: HTTP (wrk)'
    fi
done
[ -e "$work/results" ] || exit 1

# The middle one of each column, and how often ours is as fast as that.
median() { sort -g | awk '{all[NR] = $1} END {print all[int((NR + 1) / 2)]}'; }
{
    echo
    echo "$(date +%F), $(uname -sr), $(awk -F': ' '/model name/ {print $2; exit}' /proc/cpuinfo), medians of $rounds rounds of $each s:"
    echo
    echo '| over | tracker | answers a second | ours is | answers a CPU second | ours is | peers an answer, or 99 % within | memory at most, MiB |'
    echo '|---|---|---|---|---|---|---|---|'
    awk '!seen[$1, $2]++ {print $1, $2}' "$work/results" | while read -r way tracker; do
        column() { awk -v way="$way" -v tracker="$1" -v column="$2" '$1 == way && $2 == tracker {print $column}' "$work/results" | median; }
        rate=$(column "$tracker" 3)
        awk -v way="$way" -v tracker="$tracker" -v rate="$rate" -v ours="$(column fyris 3)" -v other="$(column "$tracker" 4)" \
            -v memory="$(column "$tracker" 5)" -v cpu="$(column "$tracker" 6)" -v each="$each" -v ourcpu="$(column fyris 6)" 'BEGIN {
            printf "| %s | %s | %.0f | %.2f × | %.0f | %.2f × | %s | %.0f |\n", way, tracker, rate, rate ? ours / rate : 0,
                rate * each / cpu, rate ? ours / ourcpu / (rate / cpu) : 0, other, memory / 1024 }'
    done
    echo
} | tee "$work/table"
[ -z "${TABLE:-}" ] || sed -i -e "/<!-- measured -->/,/<!-- end -->/ {
    /<!-- measured -->/r $work/table
    /<!-- measured -->/!{ /<!-- end -->/!d }
}" "$TABLE"
