#!/bin/sh
# Checks the protos: lint, format, no breaking change, generated code fresh.
set -eu
cd "$(dirname "$0")/.."
root=$PWD

bin/buf lint proto
bin/buf format proto --diff --exit-code --path proto/lockstep

# Against the commit that the branch left main at, on main itself the one before (and, while
# something is not committed yet, the newest), and against the newest release before this commit.
commit() { git rev-parse -q --verify "$1^{commit}" 2>/dev/null || true; }
head=$(commit HEAD)
before=$(commit HEAD^)
left=$(git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main 2>/dev/null || true)
tag=$(git describe --tags --abbrev=0 --match 'v*' HEAD^ 2>/dev/null || true)
refs="$left $tag"
if [ "$left" = "$head" ]; then
  refs="$before $tag"
  git diff --quiet HEAD -- proto/lockstep || refs="$head $refs"
fi
if [ "$(git rev-parse --is-shallow-repository)" = true ]; then
  [ -n "$tag" ] || echo "breaking changes since the newest release: skipped, this clone is shallow and has none"
  [ -n "$left" ] || echo "breaking changes since main: skipped, this clone is shallow and does not reach it"
  [ "$left" != "$head" ] || [ -n "$before" ] || echo "breaking changes since HEAD^: skipped, this clone is shallow and ends at HEAD"
fi
for ref in $refs; do
  git cat-file -e "$ref:proto/lockstep" 2>/dev/null || continue
  echo "breaking changes since $ref:"
  old=$(mktemp -d)
  git archive "$ref" proto | tar -x -C "$old"
  bin/buf breaking proto --against "$old/proto" && echo "none" || { rm -rf "$old"; exit 1; }
  rm -rf "$old"
done

fresh=$root/.cache/fresh
rm -rf "$fresh"
scripts/generate.sh "$fresh"
{ diff -r "$fresh/gen/go" proto/gen/go && diff "$fresh/gen/openapi/lockstep.json" proto/gen/openapi/lockstep.json; } >"$fresh/diff" || {
  grep -E '^(Only|diff)' "$fresh/diff" || head -n 20 "$fresh/diff"
  echo "generated code is stale: run make proto and commit proto/gen" >&2
  exit 1
}
