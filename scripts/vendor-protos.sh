#!/usr/bin/env bash
# Copies the annotation protos into proto/third_party from two packages that
# carry them as text: the Go module of protovalidate and the Python package
# googleapis-common-protos. Commit the result; it changes a few times a year.
set -euo pipefail
cd "$(dirname "$0")/.."

protovalidate=v1.2.2
googleapis=1.76.0
dest=proto/third_party
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

rm -rf "$dest"
mkdir -p "$dest/buf/validate" "$dest/google/"{api,rpc,type,longrunning}

dir=$(cd "$tmp" && GOWORK=off go mod download -json "github.com/bufbuild/protovalidate@$protovalidate" |
  sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cp "$dir/proto/protovalidate/buf/validate/validate.proto" "$dest/buf/validate/"

python3 -m pip download --quiet --no-deps --dest "$tmp" "googleapis-common-protos==$googleapis"
python3 -m zipfile -e "$tmp"/googleapis_common_protos-*.whl "$tmp/wheel"
for f in api/{annotations,client,error_reason,field_behavior,field_info,http,httpbody,launch_stage,resource,visibility} \
  rpc/{code,error_details,status} type/{date,decimal,interval,latlng,money,postal_address,timeofday}; do
  cp "$tmp/wheel/google/$f.proto" "$dest/google/$f.proto"
done
# The wheel renames this one file; every generated SDK imports the original name.
cp "$tmp/wheel/google/longrunning/operations_proto.proto" "$dest/google/longrunning/operations.proto"
chmod -R u+w "$dest"
