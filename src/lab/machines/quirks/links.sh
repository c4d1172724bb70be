# The policy is a link to the directory of a release. $1: the policy.
release=$(dirname "$1")/releases/2026-11-30
mkdir -p "$(dirname "$release")" && mv "$1" "$release" && ln -s releases/2026-11-30 "$1"
