# Debian packages that a script needs. Sourced by `./test`, `.ci/run` and others.
# Installs missing ones only if INSTALL is set or in CI; otherwise names the command and fails.

[ -z "${CI:-}" ] || INSTALL=1
packages=()

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# need PACKAGE COMMAND...: notes PACKAGE as missing if COMMAND fails.
need() {
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || packages+=("$package")
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Debian starts and enables a service when redis-server is installed. The tests start their own
# servers, so a policy forbids it until the (sub)shell ends.
forbid_services() {
  local policy=/usr/sbin/policy-rc.d
  [ ! -e "$policy" ] || return 0
  # shellcheck disable=SC2064
  trap "as_root rm -f $policy" EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}

# install_packages COMMAND: installs what is missing; COMMAND is the command to name if that is not allowed.
install_packages() {
  [ "${#packages[@]}" -gt 0 ] || return 0
  local by_hand="apt-get update && apt-get install -y --no-install-recommends ${packages[*]}"
  [ -n "${INSTALL:-}" ] ||
    fail "missing packages: ${packages[*]}. Run \`$1\` to install them, or as root: $by_hand"
  command -v apt-get >/dev/null ||
    fail "missing packages: ${packages[*]}. Install them with your package manager"
  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
    fail "missing packages: ${packages[*]}. This user cannot install them; as root: $by_hand"
  echo "$(basename "$0"): installing ${packages[*]} with apt-get"
  (
    forbid_services
    { as_root apt-get update -qq &&
      as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${packages[@]}"; } </dev/null >&2 ||
      fail "installing failed. By hand, as root: $by_hand"
    if [ -d /run/systemd/system ] && [[ " ${packages[*]} " == *" redis-server "* ]]; then
      as_root systemctl disable --now --quiet redis-server || true
    fi
  )
  packages=()
}
