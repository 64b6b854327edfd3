#!/bin/sh
# Installs Debian packages, and lets none of them start a service. Exit status 2: not possible here.
#
#   tools/install_packages.sh haproxy
set -eu
fail() { printf 'setup: %s\n' "$*" >&2; exit 2; }

missing="$*"
command -v apt-get >/dev/null 2>&1 || fail "not installed: $missing; install it and run this again"
if [ "$(id -u)" = 0 ]; then sudo=; elif sudo -n true 2>/dev/null; then sudo="sudo -n"; else
    fail "not installed: $missing; run: sudo apt-get install $missing"
fi

log=$(mktemp)
policy=/usr/sbin/policy-rc.d
own_policy=
clean() {
    rm -f "$log"
    if [ -n "$own_policy" ]; then $sudo rm -f "$policy"; fi
}
trap clean EXIT
trap 'exit 2' HUP INT TERM

# Debian starts the services of what it installs unless this script, which nobody else put there, says no.
if [ ! -e "$policy" ]; then
    own_policy=yes
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
    $sudo chmod 755 "$policy"
fi

printf 'setup: installing the Debian packages %s\n' "$missing" >&2
{ $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    fail "apt-get could not install $missing"
}
