#!/bin/sh
# Generates everything that derives from the protos into DEST/gen (default: proto/gen):
# Go messages, gRPC and gateway code, and one OpenAPI 3.1 document.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
dest=${1:-$root/proto}
mkdir -p "$dest/gen/openapi"
dest=$(cd "$dest" && pwd)
work=$root/.cache/openapi
cd "$root/proto"

../bin/buf generate -o "$dest"

rm -rf "$work"
../bin/buf generate --template buf.gen.openapi.yaml -o "$work"
../bin/buf build -o "$work/image.binpb"
find "$work" -name '*.openapi.json' | LC_ALL=C sort | xargs ../bin/openapiv3-merge >"$work/merged.json"
GOWORK=off go -C ../scripts run ./openapi -image "$work/image.binpb" <"$work/merged.json" \
  >"$work/lockstep.json"
mv "$work/lockstep.json" "$dest/gen/openapi/lockstep.json"
