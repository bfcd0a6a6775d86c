#!/usr/bin/env bash
# A picture of a page of the report: infra/report_picture.sh [PAGE] [PNG] [WIDTH,HEIGHT]
# `make picture` makes the README's, from the index of the last run. Needs chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
page=${1:-outputs/report/index.html}
picture=${2:-infra/report.png}
[ -f "$page" ] || { echo "error: $page: no such page; run \`convoy run\` first" >&2; exit 1; }
command -v chromium >/dev/null || { echo "error: no chromium; infra/install_chromium.sh installs it" >&2; exit 1; }
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
chromium --headless --no-sandbox --disable-gpu --no-first-run --hide-scrollbars \
  --disable-background-networking --disable-component-update --disable-sync \
  --user-data-dir="$profile" --window-size="${3:-1100,900}" --screenshot="$picture" \
  "file://$(realpath "$page")" 2>/dev/null
echo "written: $picture"
