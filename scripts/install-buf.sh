#!/bin/sh
# Puts buf into bin/, in the version that scripts/tools/buf/go.mod pins: the prebuilt
# one of its npm package where npm is there (seconds), else built from source (minutes).
set -eu
cd "$(dirname "$0")/.."
export GOWORK=off CGO_ENABLED=0
mkdir -p bin
version=$(go -C scripts/tools/buf list -mod=readonly -m -f '{{.Version}}' github.com/bufbuild/buf)
if command -v npm >/dev/null 2>&1; then
  tmp=$(mktemp -d)
  trap 'rm -rf "$tmp"' EXIT
  npm install --prefix "$tmp" --ignore-scripts --no-audit --no-fund --silent "@bufbuild/buf@${version#v}" || true
  for buf in "$tmp"/node_modules/@bufbuild/buf-*/bin/buf; do
    [ -x "$buf" ] || continue
    cp "$buf" bin/buf.new && mv bin/buf.new bin/buf
    exit
  done
  echo "buf: npm has no prebuilt one for this machine; building it" >&2
fi
go -C scripts/tools/buf build -ldflags='-s -w' -o ../../../bin/buf.new github.com/bufbuild/buf/cmd/buf
mv bin/buf.new bin/buf
