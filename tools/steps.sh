# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# tools/steps.sh - what tools/check, tools/demo and .ci/run share: steps that say what they do, how far they are and how
# long they took. Sourced; the caller sets `root` (the clone).
#
# A step's own output goes to a file under build/logs. On a terminal a build shows itself; elsewhere a line every ten
# seconds tells that it lives, so that a log stays readable and nobody takes a quiet minute for a hang.

: "${root:?the clone}"
STEP_NAMES=()
STEP_SECONDS=()

say() { printf '== %s\n' "$*"; }

# step NAME COMMAND...: runs it, keeps its duration, returns its status.
step() {
  local name=$1 started=$SECONDS status=0
  shift
  say "$name"
  "$@" || status=$?
  STEP_NAMES+=("$name")
  STEP_SECONDS+=($((SECONDS - started)))
  if [ "$status" -ne 0 ]; then printf '== %s: FAILED (exit %d)\n' "$name" "$status"; fi
  return "$status"
}

# quietly LOG COMMAND...: output to LOG, the newest line every ten seconds, the end of the log when it fails.
quietly() {
  local log=$1 worker status=0 waited=0
  shift
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null &
  worker=$!
  while kill -0 "$worker" 2>/dev/null; do
    # wait -n returns when the worker ends or the clock does, whichever is first: no time lost at the end of a step.
    sleep 10 &
    local clock=$!
    wait -n "$worker" "$clock" 2>/dev/null || true
    kill "$clock" 2>/dev/null || true
    wait "$clock" 2>/dev/null || true
    if kill -0 "$worker" 2>/dev/null; then
      waited=$((waited + 10))
      printf '   %4d s  %s\n' "$waited" "$(tail -c 400 "$log" | tr '\r' '\n' | tail -n 1 | cut -c 1-100)"
    fi
  done
  wait "$worker" || status=$?
  if [ "$status" -ne 0 ]; then
    tail -n 60 "$log"
    echo "   (all of it: $log)"
  fi
  return "$status"
}

# build PRESET [TARGET...]: configures build/PRESET and builds it, or the targets named.
build() {
  local preset=$1 log=$root/build/logs/build-$1.log targets=()
  shift
  if [ $# -gt 0 ]; then targets=(--target "$@"); fi
  quietly "$root/build/logs/configure-$preset.log" cmake -S "$root" --preset "$preset" "${EVS_CMAKE_ARGS[@]+"${EVS_CMAKE_ARGS[@]}"}" || return
  if [ -t 1 ]; then
    cmake --build "$root/build/$preset" "${targets[@]+"${targets[@]}"}"
  else
    quietly "$log" cmake --build "$root/build/$preset" "${targets[@]+"${targets[@]}"}"
  fi
}

# The minutes of each step so far.
print_minutes() {
  local i total=0
  echo "== minutes by stage"
  for i in "${!STEP_NAMES[@]}"; do
    total=$((total + STEP_SECONDS[i]))
    printf '   %3d:%02d  %s\n' $((STEP_SECONDS[i] / 60)) $((STEP_SECONDS[i] % 60)) "${STEP_NAMES[i]}"
  done
  printf '   %3d:%02d  in all\n' $((total / 60)) $((total % 60))
}
