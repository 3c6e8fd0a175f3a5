# Functions for `./test`, `.ci/run` and the scripts here, which source this file in the root of the
# repository. With `--install` as their first argument, or in CI, they install Debian packages that
# are missing. Otherwise they name the command that does.

INSTALL=${CI:-}
if [ "${1:-}" = --install ]; then
  INSTALL=1
  shift
fi
packages=()

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# need PACKAGE COMMAND...: adds PACKAGE to the missing ones if COMMAND fails.
need() {
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || packages+=("$package")
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Debian starts and enables services when redis-server and nginx are installed. The tests start their own
# servers, so a policy forbids it until the (sub)shell ends.
forbid_services() {
  local policy=/usr/sbin/policy-rc.d
  [ ! -e "$policy" ] || return 0
  # shellcheck disable=SC2064
  trap "as_root rm -f $policy" EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}

# Installs the missing packages. If that is not allowed, names the command and fails.
install_packages() {
  [ "${#packages[@]}" -gt 0 ] || return 0
  local missing="missing packages: ${packages[*]}"
  local by_hand="apt-get update && apt-get install -y --no-install-recommends ${packages[*]}"
  [ -n "$INSTALL" ] || fail "$missing. Run \`$0 --install\` to install them, or as root: $by_hand"
  command -v apt-get >/dev/null || fail "$missing. Install them with your package manager"
  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
    fail "$missing. This user cannot install them; as root: $by_hand"
  echo "$(basename "$0"): installing ${packages[*]} with apt-get"
  (
    forbid_services
    { as_root apt-get update -qq &&
      as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${packages[@]}"; } </dev/null >&2 ||
      fail "installing failed. By hand, as root: $by_hand"
    for service in redis-server nginx; do
      if [ -d /run/systemd/system ] && [[ " ${packages[*]} " == *" $service "* ]]; then
        as_root systemctl disable --now --quiet "$service" || true
      fi
    done
  )
  packages=()
}

# Installs valkey-server. Debian 12 has it in its backports only, which are on the same mirror.
install_valkey() {
  command -v apt-get >/dev/null || return
  (
    forbid_services
    options=()
    as_root apt-get update -qq || exit
    if ! apt-cache show valkey-server >/dev/null 2>&1; then
      release=$(. /etc/os-release && echo "$VERSION_CODENAME")
      mirror=$(apt-get indextargets --format '$(RELEASE) $(SITE)' 'Created-By: Packages' |
        awk -v release="$release" '$1 == release { print $2; exit }')
      mkdir -p "${CARGO_TARGET_DIR:-target}"
      list=$(realpath "${CARGO_TARGET_DIR:-target}")/backports.list
      {
        cat /etc/apt/sources.list 2>/dev/null || true
        echo "deb $mirror $release-backports main"
      } >"$list"
      options=(-o "Dir::Etc::SourceList=$list" -t "$release-backports")
      as_root apt-get "${options[@]}" update -qq || exit
    fi
    as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get "${options[@]}" install -y -qq --no-install-recommends valkey-server || exit
    if [ -d /run/systemd/system ]; then
      as_root systemctl disable --now --quiet valkey-server || true
    fi
  ) </dev/null >&2
}

# Creates the directory $scratch. At the end, removes it and stops the servers of `start`.
prepare_scratch() {
  started=()
  scratch=$(mktemp -d)
  trap clean_up EXIT
}

clean_up() {
  [ "${#started[@]}" -eq 0 ] || kill "${started[@]}" 2>/dev/null || true
  rm -rf "$scratch"
}

# start NAME PATTERN COMMAND...: starts a server and waits until it prints its address. Sets $url to
# the group of PATTERN, a basic regular expression. The output is in $scratch/NAME.out.
start() {
  local name=$1 pattern=$2 output=$scratch/$1.out
  shift 2
  "$@" >"$output" 2>&1 &
  started+=($!)
  for _ in $(seq 100); do
    url=$(sed -n "s|$pattern|\\1|p" "$output")
    [ -z "$url" ] || return 0
    kill -0 "${started[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  fail "$name does not start: $(cat "$output")"
}
