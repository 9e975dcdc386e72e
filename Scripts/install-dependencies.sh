#!/bin/sh
# Installs the Debian packages that Agnesi builds and runs with, where any is missing.
#   Scripts/install-dependencies.sh [PACKAGE …]    further packages, such as data sets
# Asks for no input; uses sudo where it does not run as root. On macOS it uses Homebrew.
set -eu

if [ "$(uname)" = Darwin ]; then
  command -v brew >/dev/null || { echo "install Homebrew first: https://brew.sh" >&2; exit 1; }
  brew install --quiet onednn openblas openssl pkg-config jpeg-turbo libpng webp libtiff giflib hdf5
  exit 0
fi

wanted="libdnnl-dev libopenblas-openmp-dev zlib1g-dev libssl-dev libjpeg-dev libpng-dev \
  libwebp-dev libtiff-dev libgif-dev libhdf5-dev pkg-config $*"
missing=""
for package in $wanted; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null || {
  echo "this system has no apt-get; install:$missing" >&2
  exit 1
}
root=""
[ "$(id -u)" = 0 ] || root="sudo"
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # the list is meant to be split
$root apt-get install -y -q $missing >/dev/null 2>&1 || {
  $root apt-get update -q
  $root apt-get install -y -q $missing
}
