#!/bin/sh
# ONNX's own tests of its operators, on the reference and on the CPU: counts, and each refusal under its
# reason. They come with the Python package onnx, which is fetched unless AGNESI_ONNX_TESTS names its
# folder onnx/backend/test/data. The tests must be built: swift build --build-tests with the same FLAGS.
set -eu
cd "$(dirname "$0")/.."
version=1.17.0
folder=${AGNESI_ONNX_TESTS:-}
if [ -z "$folder" ]; then
  package=$PWD/.build/onnx-$version
  folder=$package/onnx/backend/test/data
  if [ ! -d "$folder" ]; then
    mkdir -p "$package"
    python3 -m pip download --quiet --no-deps --dest "$package" "onnx==$version"
    python3 -m zipfile -e "$package"/onnx-$version-*.whl "$package"
  fi
fi
reports=$PWD/.build/onnx-tests
rm -rf "$reports"
mkdir -p "$reports"
status=0
AGNESI_ONNX_TESTS=$folder AGNESI_ONNX_REPORT=$reports \
  ${SWIFT:-swift} test ${FLAGS:-} --skip-build --filter BackendTests > "$reports/log" 2>&1 || status=$?
cat "$reports"/*.txt || cat "$reports/log"
exit $status
