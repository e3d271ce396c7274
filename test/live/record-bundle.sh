#!/usr/bin/env bash
# Records one sample with our own capture. Runs inside lab.sh:   lab.sh record-bundle.sh OUT_DIR BEHAVIOUR ...
#
# OUT_DIR becomes the bundle that the server's host would send (the client's where the first behaviour says so: CAPTURE), with expected.json
# beside it. Behaviours whose path loses or forges segments (`path(`) are captured at both ends: OUT_DIR/server and OUT_DIR/client.
# $TCPAUTOPSY_CAPTURE is the command (default: the script of this tree), $LAB_CAPTURE_OPTIONS more of its options.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
out=$1; shift
capture=${TCPAUTOPSY_CAPTURE:-$here/../../capture/tcpautopsy-capture}
export PYTHONDONTWRITEBYTECODE=1 LAB_OUT=$out/.behaviour LAB_SNAPSHOTS=0
mkdir -p "$LAB_OUT"

ports=()
number=8080
for name; do
  ports+=(--port $number)
  ! grep -q 'port += 50' "$here/behaviours/${name//-/_}.py" || ports+=(--port $((number + 50)))
  number=$((number + 1))
done
record() { # NAMESPACE DIR COMMAND ...
  local ns=$1 dir=$2; shift 2
  ip netns exec "$ns" $capture -o "$dir" -i eth0 "${ports[@]}" ${LAB_CAPTURE_OPTIONS:-} -- "$@"
}
both_ends() { cd "$here/behaviours"; for name; do ! grep -q 'path(' "${name//-/_}.py" || return 0; done; return 1; }

play=(/usr/bin/python3 "$here/behaviours/run.py" "$@")
# what holds on the host when the incident begins stands in sysctl.txt
/usr/bin/python3 "$here/behaviours/run.py" --setup "$@"
export LAB_SET_UP=1
code=0
if (both_ends "$@"); then
  record "$LAB_CLI" "$out/client" "$(command -v ip)" netns exec "$LAB_SRV" $capture -o "$out/server" -i eth0 "${ports[@]}" ${LAB_CAPTURE_OPTIONS:-} -- "${play[@]}" || code=$?
else
  at=$LAB_SRV
  ! grep -q "^CAPTURE = 'client'" "$here/behaviours/${1//-/_}.py" || at=$LAB_CLI
  record "$at" "$out/bundle" "${play[@]}" || code=$?
  mv "$out"/bundle/[!.]* "$out/" && rm -r "$out/bundle"
fi
mv "$LAB_OUT/expected.json" "$out/" && rm -r "$LAB_OUT"
chmod -R u=rwX,go=rX "$out"
exit $code
