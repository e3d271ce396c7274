#!/usr/bin/env bash
# clean-debian.sh FOLDER: the packages in it, installed, used and removed in a Debian that has no Node. Needs root and mmdebstrap; that Debian is kept in
# the cache of who runs this.
set -euo pipefail
packages=$(realpath "$1")
deb=$(ls "$packages"/tcpautopsy_*_amd64.deb) executable=$(ls "$packages"/tcpautopsy-*-linux-x64)
version=$(node -p 'require("./package.json").version')
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tcpautopsy
base=$cache/debian-$suite.tar
if [ ! -f "$base" ]; then
  mkdir -p "$cache"
  mmdebstrap --quiet --variant=apt "$suite" "$base.part.tar"
  mv "$base.part.tar" "$base"
fi
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
tar -xf "$base" -C "$root"

inside() { # in a namespace of its own, so that nothing stays mounted
  unshare --mount --pid --fork --mount-proc="$root/proc" chroot "$root" \
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"
}
try() { # WHAT COMMAND...
  local what=$1 said; shift
  if said=$("$@" 2>&1); then echo "ok: $what"; else printf 'FAILED: %s\n%s\n' "$what" "$said"; exit 1; fi
}
says() { # TEXT COMMAND...: it ends well, and says so
  local text=$1; shift
  "$@" > "$root/said" 2>&1 || { cat "$root/said"; return 1; }
  grep -qF -- "$text" "$root/said" || { cat "$root/said"; return 1; }
}
files() { # what dpkg, apt and their logs keep of their own is theirs
  inside find / -xdev \( -path /proc -o -path /tmp -o -path /said -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/log -o -path /var/cache \) -prune -o -print | sort
}
absent() { ! inside sh -c "command -v $1"; }
not_enabled() { [ -z "$(inside find /etc/systemd -name 'tcpautopsy*' 2>/dev/null)" ]; }
charts() { inside sh -c 'ls /tmp/report/report.html /tmp/report/connections.csv /tmp/report/charts/*.svg'; }
all_manuals() { inside sh -c 'for c in "" -analyze -explain -batch -capture -capture-kit; do gzip -t /usr/share/man/man1/tcpautopsy$c.1.gz || exit 1; done'; }
nothing_left() { diff <(printf '%s\n' "$before") <(files); }

example=/usr/share/doc/tcpautopsy/examples/accept-queue-incident
incident='did not accept connections as fast as they came'
cp "$deb" "$root/tmp/tcpautopsy.deb"
cp "$executable" "$root/tmp/tcpautopsy"
before=$(files)
try 'no Node here' absent node
try 'installs' inside apt-get install -y --no-install-recommends /tmp/tcpautopsy.deb
try 'still no Node' absent node
try '--version' says "$version" inside tcpautopsy --version
try 'help' says 'Commands:' inside tcpautopsy help
try 'help analyze' says '--workers' inside tcpautopsy help analyze
try 'explain, the incident that comes with it' says "$incident" inside tcpautopsy explain "$example"
try 'analyze with threads' says "$incident" inside tcpautopsy analyze "$example" -o /tmp/report --workers 2
try 'its page, tables and charts' charts
try 'batch with processes' says '1 group' inside tcpautopsy batch "$example" -o /tmp/batch --jobs 2
try 'pages of the manual' all_manuals
try 'completion' says complete inside bash -n -v /usr/share/bash-completion/completions/tcpautopsy
try 'words to complete' says analyze inside tcpautopsy --get-yargs-completions tcpautopsy an
try 'the capture script' says 'usage: tcpautopsy-capture' inside tcpautopsy-capture --help
try 'the recorder' says "$version" inside "/usr/lib/tcpautopsy/recorder/x86_64/tcpautopsy-record" --version
try 'the capture kit' says 'With the recorder for x86_64' inside tcpautopsy capture-kit -o /tmp/kit.tar.gz
try 'the flight recorder is not enabled' not_enabled
try 'is removed' inside apt-get purge -y tcpautopsy
try 'nothing is left' nothing_left
try 'the one file alone' says "$version" inside /tmp/tcpautopsy --version
try 'its capture script' says 'usage: tcpautopsy-capture' inside /tmp/tcpautopsy capture --help
try 'its capture kit' says 'With the recorder for x86_64' inside /tmp/tcpautopsy capture-kit -o /tmp/kit-2.tar.gz
try 'unpacked files are gone' sh -c "! ls -d '$root'/tmp/tcpautopsy-kit*"
