# Functions that unpack Debian packages into a folder: nothing is installed and
# no service is started. Sourced by the fetch scripts.

# unpack_debs DEST PACKAGE...
# unpacks the packages, and those of their dependencies that the machine lacks.
unpack_debs() {
  _dest=$1
  shift
  command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1 || return 1
  download_debs "$_dest" "$@" && return
  # The lists are missing or older than the archive.
  [ "$(id -u)" = 0 ] && apt-get update -qq >/dev/null 2>&1 && download_debs "$_dest" "$@"
}

download_debs() {
  _into=$1
  shift
  _debs=$(mktemp -d)
  # "Inst name (version" is new to the machine, "Inst name [old] (version" an upgrade.
  if _new=$(apt-get --simulate --no-install-recommends install "$@" 2>/dev/null) &&
    _new=$(printf '%s\n' "$_new" | sed -n 's/^Inst \([^ ]*\) (.*/\1/p') &&
    (cd "$_debs" && printf '%s\n' "$@" $_new | sort -u | xargs apt-get download -qq >/dev/null 2>&1); then
    mkdir -p "$_into"
    for _deb in "$_debs"/*.deb; do dpkg -x "$_deb" "$_into"; done
    rm -rf "$_debs"
  else
    rm -rf "$_debs"
    return 1
  fi
}

# wrap PROGRAM ROOT
# replaces PROGRAM by a script that runs it with the libraries unpacked under ROOT, if there are any.
wrap() {
  _libs=
  for _dir in "$2"/usr/lib/*-linux-gnu* "$2"/lib/*-linux-gnu*; do
    [ ! -d "$_dir" ] || _libs=$_libs$_dir:
  done
  [ -n "$_libs" ] || return 0
  mv "$1" "$1.bin"
  cat >"$1" <<EOF
#!/bin/sh
LD_LIBRARY_PATH=$_libs\${LD_LIBRARY_PATH:-}
export LD_LIBRARY_PATH
exec "$1.bin" "\$@"
EOF
  chmod +x "$1"
}

# give_up REASON
# ends the script: on a developer's machine the tests skip with their reason, in CI a skip is a failure.
give_up() {
  echo "$(basename "$0" .sh): $1; tests that need it will be skipped" >&2
  [ "${CI:-}" != true ]
  exit
}
