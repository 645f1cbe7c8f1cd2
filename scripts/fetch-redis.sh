#!/bin/sh
# Unpacks redis-server 7 into .cache/redis for the tests on a real Redis.
# Does nothing when it is there, when PATH has one of version 7 or later, or when
# LOCKSTEP_TEST_REDIS_URL names a running one.
set -eu
cd "$(dirname "$0")/.."
. scripts/debs.sh

dest=$PWD/.cache/redis
server=$dest/usr/bin/redis-server
[ -z "${LOCKSTEP_TEST_REDIS_URL:-}" ] || exit 0
[ ! -x "$server" ] || exit 0
if command -v redis-server >/dev/null 2>&1; then
  major=$(redis-server --version | sed -n 's/.* v=\([0-9]*\)\..*/\1/p')
  [ "${major:-0}" -lt 7 ] || exit 0
fi

rm -rf "$dest" "$dest.new"
trap 'rm -rf "$dest.new"' EXIT
echo "fetching redis-server 7 into .cache/redis"
unpack_debs "$dest.new" redis-server redis-tools ||
  give_up "no redis-server 7 on PATH, and none from Debian's packages"
mv "$dest.new" "$dest"
# Debian ships redis-server as a link to the program that has both names.
rm "$server"
cp "$dest/usr/bin/redis-check-rdb" "$server"
wrap "$server" "$dest"
"$server" --version >/dev/null || {
  rm -rf "$dest"
  give_up "the redis-server of Debian's packages does not start on this system"
}
