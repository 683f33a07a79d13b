#!/usr/bin/env bash
# usage: object_server_keeper.sh TOOL DIRECTORY PORT
#
# Starts the object store of a test by the tool `object-server`, under the directory. The file `up` or
# `down` there tells the outcome, `log` what the tool said. Stops the store and removes the directory
# at the end of its input, which comes however the test ends: what stops the test does not stop this.
trap '' HUP INT TERM
if "$1" start "$2/store" "$3" >"$2/log" 2>&1; then touch "$2/up"; else touch "$2/down"; fi
cat >/dev/null
"$1" stop "$2/store" >/dev/null 2>&1
# A server that was stopped while it started can leave a worker.
for process in /proc/[0-9]*; do
  if grep -qsF "$2/store/" "$process/cmdline"; then kill -9 "${process#/proc/}" 2>/dev/null; fi
done
rm -rf "$2"
