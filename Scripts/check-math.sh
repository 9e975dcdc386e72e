#!/bin/bash
# Tries every float32 argument of our elementary functions against the C library's in float64, and
# prints the largest error in units in the last place. Fails beyond 2.
#
# usage: Scripts/check-math.sh [stride] [function…]
#   stride    try only every n-th bit pattern; 1 (the default) takes minutes for each function
# CC names the compiler (default: clang).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
sources=$here/../Sources/AgnesiCPU
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The C text stands between #""" and """# in the Swift files; this is their order in CMath.pieces.
for part in "" +Exponential +Logarithm +Circular +Hyperbolic; do
  awk '/"""#/ { inside = 0 } inside { sub(/^ +#/, "#"); sub(/^ {6}/, ""); print } /#"""$/ { inside = 1; print "" }' \
    "$sources/CMath$part.swift"
done > "$folder/math-source.h"

"${CC:-clang}" -std=gnu11 -O3 -march=native -fno-math-errno -I "$folder" \
  "$here/check-math.c" -o "$folder/check-math" -lm -lpthread
"$folder/check-math" "$@"
