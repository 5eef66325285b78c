#!/bin/sh
# Several machines on one: a batch over a Dask cluster whose parts can reach each other over the network only, one worker
# killed in mid-run. Linux, as root; studies as arguments, by default those of params/.
#
#   sudo benchmarks/two_machines.sh params/postal_demo.yaml
#
# Three network namespaces hang on a switch in a fourth: scheduler and one worker, another worker, the run. The second worker is
# killed (SIGKILL) as soon as it has a kernel. Shown at the end: what was retried, whether a process is left behind, and how far the
# numbers are from those of a run on this machine alone (rounding depends on the threads that a kernel has).
set -eu
cd "$(dirname "$0")/.."
BIN=${BIN:-.venv/bin}
[ -x "$BIN/cxresearch" ] || { echo "$BIN has no cxresearch: run make study, or set BIN" >&2; exit 1; }
[ $# -gt 0 ] || set -- params/*.yaml
NAME=cx$$
OUT=$(mktemp -d)
SCHEDULER=tcp://10.111.0.1:8786

inside() {  # run a command in a namespace
    place=$NAME-$1
    shift
    ip netns exec "$place" "$@"
}

clean() {
    for place in scheduler worker runner switch; do
        ip netns pids "$NAME-$place" 2>/dev/null | xargs -r kill -9 2>/dev/null || true
        ip netns del "$NAME-$place" 2>/dev/null || true
    done
    rm -rf "$OUT"
}
trap clean EXIT
trap 'exit 130' INT TERM

ip netns add "$NAME-switch"
inside switch ip link add switch type bridge
inside switch ip link set switch up
number=0
for place in scheduler worker runner; do
    number=$((number + 1))
    ip netns add "$NAME-$place"
    ip -n "$NAME-switch" link add "port$number" type veth peer name eth0 netns "$NAME-$place"
    ip -n "$NAME-switch" link set "port$number" master switch up
    ip -n "$NAME-$place" addr add "10.111.0.$number/24" dev eth0
    ip -n "$NAME-$place" link set eth0 up
    ip -n "$NAME-$place" link set lo up
done

dask_worker() {
    inside "$1" "$BIN/dask" worker $SCHEDULER --nthreads 1 --no-nanny --no-dashboard --local-directory "$OUT/$1" \
        >"$OUT/$1.log" 2>&1 &
}

inside scheduler "$BIN/dask" scheduler --host 10.111.0.1 --port 8786 --no-dashboard >"$OUT/scheduler.log" 2>&1 &
dask_worker scheduler
dask_worker worker
killed=$!
sleep 8

{
    until [ "$(ip netns pids "$NAME-worker" | wc -l)" -ge 3 ]; do sleep 0.2; done  # the worker, its server of kernels, a kernel
    sleep 1
    kill -9 $(ip netns pids "$NAME-worker" | head -n 1)
    echo "killed the second worker"
} &
inside runner "$BIN/cxresearch" run "$@" --outputs "$OUT/far" --scheduler $SCHEDULER
sleep 5
echo "processes left in the namespace of the killed worker: $(ip netns pids "$NAME-worker" | wc -l)"

"$BIN/cxresearch" run "$@" --outputs "$OUT/near" >/dev/null
"$BIN/python" - "$OUT/near" "$OUT/far" <<'COMPARE'
import sys
from pathlib import Path
import pandas as pd

for near in sorted(Path(sys.argv[1]).glob("*/results.csv")):
    one, other = (pd.read_csv(path) for path in (near, Path(sys.argv[2], near.parent.name, near.name)))
    numbers = one.select_dtypes("number").columns
    assert one.drop(columns=numbers).equals(other.drop(columns=numbers)), near.parent.name
    assert (one[numbers].isna() == other[numbers].isna()).all(axis=None), near.parent.name
    apart = (one[numbers] - other[numbers]).abs() / one[numbers].abs().clip(lower=1)
    print(f"{near.parent.name}: {len(one)} rows, the numbers differ by {apart.max(axis=None):.1g} at most")
COMPARE
