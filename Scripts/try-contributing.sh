#!/bin/sh
# Does what CONTRIBUTING.md says, in a scratch copy of the tracked files, and runs the new tests:
# whether the worked examples still compile and pass.
#   Scripts/try-contributing.sh [FOLDER]    the copy; kept where it is named, so that a second run
#                                           builds less
# In the document, a Swift block whose first line is `// PATH` is a new file, and a diff block is a
# patch.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
copy=${1:-$(mktemp -d)}
mkdir -p "$copy"
[ $# -gt 0 ] || trap 'rm -rf "$copy"' EXIT

cd "$root"
# What an earlier run added must not stay; what was built may.
find "$copy" -mindepth 1 -maxdepth 1 ! -name .build -exec rm -rf {} +
git ls-files -co --exclude-standard -z \
  | tar --null --files-from=- --ignore-failed-read -cf - | tar -xf - -C "$copy"

cd "$copy"
rm -f contributing.patch
awk '
  /^```/ && open { open = 0; close(target); next }
  /^```swift$/ {
    getline
    if ($0 ~ /^\/\/ (Sources|Tests)\/[^ ]+$/) {
      target = substr($0, 4); open = 1
      system("mkdir -p \"$(dirname \"" target "\")\"")
      printf "" > target
      close(target)
    } else open = 2
    next
  }
  /^```diff$/ { target = "contributing.patch"; open = 1; next }
  /^```/ { open = 2; next }
  open == 1 { print >> target }
' CONTRIBUTING.md
patch -p1 --no-backup-if-mismatch < contributing.patch
rm contributing.patch

swift format lint --strict --recursive Sources Tests
swift build --build-tests
for filter in ConformanceTests HypotenuseTests RuleTests SqueezeExcitationTests CSVFolderTests; do
  swift test --skip-build --filter "$filter"
done
