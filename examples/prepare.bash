# What a build of unify and the scripts here need of a machine. Read by examples/two-guests.sh, tests/run.sh and .ci/run.
# shellcheck shell=bash
#
# Rust and a C compiler are looked for before anything is installed. On Debian, as root, what is missing or too old is
# installed, after a line that says so. Elsewhere one line says what to type.

prepare_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
prepare_name=${0##*/}
prepare_name=${prepare_name%.sh}
prepare_updated=

prepare_say() { printf '%s: %s\n' "$prepare_name" "$*"; }
prepare_fail() { printf '%s: %s\n' "$prepare_name" "$*" >&2; exit 1; }

have() { [ -n "$(type -P "$1" || true)" ]; }

# at_least WANTED FOUND: is that version as new as this one?
at_least() { printf '%s\n' "$1" "$2" | sort --version-sort --check=silent; }

# patiently COMMAND...: with a dot every five seconds, so that nobody thinks that it stands still
patiently() {
  local dots status=0
  (
    any='' sleeper=''
    trap 'kill "$sleeper" || true; if [ -n "$any" ]; then echo; fi; exit' TERM
    while kill -0 "$$" 2> /dev/null; do
      sleep 5 &
      sleeper=$!
      wait "$sleeper"
      printf .
      any=1
    done
  ) >&2 &
  dots=$!
  "$@" || status=$?
  kill "$dots"
  wait "$dots" || true
  return "$status"
}

os_release() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" /etc/os-release; }
on_debian() { have apt-get && [ "$(os_release ID)" = debian ]; }
may_install() { [ "$(id -u)" = 0 ] && on_debian; }

# apt ARGUMENTS: apt-get with its output in a log, of which the end is shown where it fails
apt() {
  local log status=0
  log=$(mktemp)
  DEBIAN_FRONTEND=noninteractive patiently apt-get -q "$@" > "$log" 2>&1 < /dev/null || status=$?
  if [ "$status" != 0 ]; then tail -n 5 "$log" >&2; fi
  rm -f "$log"
  return "$status"
}

apt_update() {
  [ -z "$prepare_updated" ] || return 0
  apt update || return 1
  prepare_updated=1
}

# The oldest Rust that builds the program.
rust_wanted() { sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' "$prepare_top/Cargo.toml"; }

# rust_lacks WANTED: what is missing or too old, in words
rust_lacks() {
  local tool found
  for tool in cargo rustc; do
    if ! have "$tool"; then
      echo "$tool is not there"
    else
      found=$("$tool" --version | cut -d ' ' -f 2) || true
      at_least "$1" "${found:-0}" || echo "$tool is ${found:-of no version that it tells}"
    fi
  done
}

cc_lacks() {
  if ! have cc; then
    echo "cc is not there"
  else
    cc -fsyntax-only -x c - <<< '#include <stdio.h>' || echo "cc has no stdio.h"
  fi 2>&1 | tail -n 1
}

# offer WANTED CARGO: VERSION SUITE PACKAGE... of the first toolchain of that name in the archives that apt knows
offer() {
  local version suite
  while read -r version suite; do
    if at_least "$1" "$version"; then
      echo "$version $suite $2 ${2/cargo/rustc}"
      return 0
    fi
  done < <(apt-cache madison "$2" | awk -F ' *[|] *' '{ split($3, at, " "); sub("/.*", "", at[2]); print $2, at[2] }')
  return 1
}

# rust_offer WANTED: the same of any name. `cargo-web` is what browsers are built with, in Debian 12 the newest there is.
rust_offer() {
  local name=cargo
  [ "$(os_release VERSION_ID)" != 12 ] || name=cargo-web
  offer "$1" cargo || offer "$1" "$name" || { add_archive >&2 && offer "$1" "$name"; } || offer "$1" cargo-web
}

# Newer compilers are in backports for Debian 13 and later, and among the security updates for Debian 12. Adds these to what
# apt knows; false where they are known already, or cannot be had.
add_archive() {
  local release suite archive more list keyring=/usr/share/keyrings/debian-archive-keyring.gpg signed=''
  release=$(os_release VERSION_ID)
  suite=$(os_release VERSION_CODENAME)
  # shellcheck disable=SC2016  # the dollars are apt's
  archive=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' \
    | awk -v suite="$suite" '$2 == suite && $3 == "main" && !found { print $1; found = 1 }')
  archive=${archive%/}
  [ -n "$archive" ] || return 1
  case ${release:-0} in
    ? | 10 | 11) return 1 ;;
    12) archive=$archive-security more=$suite-security ;;
    *) more=$suite-backports ;;
  esac
  list=/etc/apt/sources.list.d/$more.list
  if [ -e "$list" ] || [ -n "$(apt-cache policy | grep "n=$more," || true)" ]; then return 1; fi
  [ ! -e "$keyring" ] || signed="[signed-by=$keyring] "
  prepare_say "adding $more to apt's sources ($list)"
  echo "deb $signed$archive $more main" > "$list"
  prepare_updated=
  apt_update || { rm "$list"; return 1; }
}

# What to type where this script may not or cannot install a toolchain.
rust_by_hand() {
  if have rustup; then
    echo "type: rustup update stable"
  elif ! may_install && on_debian; then
    echo "run this as root, which installs it, or type: curl -sSf https://sh.rustup.rs | sh"
  else
    echo "type: curl -sSf https://sh.rustup.rs | sh"
  fi
}

# What a build needs: Rust, as new as Cargo.toml says, and a C compiler. Ends the script where they cannot be had.
prepare_build() {
  local wanted rust cc offer version suite packages=()
  wanted=$(rust_wanted)
  rust=$(rust_lacks "$wanted" | paste -sd ',' | sed 's/,/, /g')
  cc=$(cc_lacks)
  [ -n "$rust$cc" ] || return 0
  if ! may_install; then
    [ -z "$rust" ] || prepare_fail "needs Rust $wanted or newer ($rust): $(rust_by_hand)${cc:+; and a C compiler: install gcc}"
    prepare_fail "needs a C compiler ($cc): install gcc and the C library's headers (Debian: apt-get install gcc libc6-dev)"
  fi
  prepare_say "needs Rust $wanted or newer and a C compiler: ${rust:-$cc}${rust:+${cc:+, $cc}}"
  apt_update || prepare_fail "apt-get update failed: $(rust_by_hand)"
  if [ -n "$rust" ]; then
    offer=$(rust_offer "$wanted") || prepare_fail "no archive that apt knows here has Rust $wanted: $(rust_by_hand)"
    read -r version suite offer <<< "$offer"
    read -ra packages <<< "$offer"
    prepare_say "installing ${packages[*]} $version from $suite (some minutes)"
    # apt takes the newest by itself, but from backports only what it is told to.
    case $suite in *-backports) packages=(--target-release "$suite" "${packages[@]}") ;; esac
  fi
  if [ -n "$cc" ]; then
    prepare_say "installing gcc libc6-dev"
    packages+=(gcc libc6-dev)
  fi
  have update-ca-certificates || packages+=(ca-certificates)
  apt install -y --no-install-recommends "${packages[@]}" || prepare_fail "apt-get could not install it: $(rust_by_hand)"
  hash -r
  if [ -n "$(rust_lacks "$wanted")" ]; then
    # An older one comes first, from a home directory.
    PATH=/usr/bin:$PATH
    hash -r
  fi
  rust=$(rust_lacks "$wanted" | paste -sd ',')
  [ -z "$rust" ] || prepare_fail "still lacks Rust $wanted ($rust): $(rust_by_hand)"
}

# rustfmt and clippy, which look at form and lints.
prepare_lints() {
  local wanted offer packages
  if cargo fmt --version && cargo clippy --version; then return 0; fi
  prepare_say "installing rustfmt and clippy"
  if have rustup; then
    rustup component add rustfmt clippy
  elif may_install && apt_update && offer=$(rust_offer "$(rust_wanted)"); then
    read -r _ wanted packages <<< "$offer"
    case $packages in
      cargo\ *) apt install -y --no-install-recommends --target-release "$wanted" rustfmt rust-clippy ;;
      *) false ;;
    esac
  else
    false
  fi || prepare_fail "cannot install rustfmt and clippy here: $(rust_by_hand)"
}

# prepare_tools COMMAND=PACKAGE...: what is missing of it. What could not be installed is said, and is the caller's
# affair.
prepare_tools() {
  local pair packages=()
  mapfile -t packages < <(for pair in "$@"; do have "${pair%%=*}" || echo "${pair#*=}"; done | sort -u)
  [ ${#packages[@]} -gt 0 ] || return 0
  if may_install; then
    prepare_say "installing ${packages[*]}"
    { apt_update && apt install -y --no-install-recommends "${packages[@]}"; } || prepare_say "not installed: ${packages[*]}"
  else
    prepare_say "some of this is missing: ${packages[*]} (on Debian type: apt-get install ${packages[*]})" >&2
  fi
}
