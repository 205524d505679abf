#!/usr/bin/env bash
# Installs a released binary for this runner after checking its checksum. Where there is none for the runner, or none for
# the version of the action's own checkout, it is built from that checkout.
#
# In:  PORTOLAN_VERSION, and what every runner sets: GITHUB_ACTION_PATH, GITHUB_OUTPUT, RUNNER_OS, RUNNER_ARCH, RUNNER_TEMP.
#      PORTOLAN_RELEASES: where releases are, for mirrors.
# Out: the step output `portolan`, the program's path.
#
# macOS runners have bash 3.2.
set -euo pipefail

releases=${PORTOLAN_RELEASES:-https://github.com/portolan-dev/portolan/releases}
folder=$RUNNER_TEMP/portolan-action
program=portolan
if [ "$RUNNER_OS" = Windows ]; then program=portolan.exe; fi

fail() {
  # In a workflow command, a line break ends the command.
  local text=${1//'%'/'%25'}
  text=${text//$'\r'/'%0D'}
  printf '::error title=portolan::%s\n' "${text//$'\n'/'%0A'}"
  exit 2
}

# The version of the action's own checkout.
own_version() {
  sed -n 's/^version = "\(.*\)"$/\1/p' "$GITHUB_ACTION_PATH/Cargo.toml" | head -n 1
}

# The release that is built for this runner. Windows on ARM runs programs for x86-64.
target() {
  case "$RUNNER_OS-$RUNNER_ARCH" in
    Linux-X64) echo x86_64-unknown-linux-musl ;;
    Linux-ARM64) echo aarch64-unknown-linux-musl ;;
    macOS-X64) echo x86_64-apple-darwin ;;
    macOS-ARM64) echo aarch64-apple-darwin ;;
    Windows-X64 | Windows-ARM64) echo x86_64-pc-windows-msvc ;;
    *) return 1 ;;
  esac
}

# download URL FILE
download() {
  local protocols='=https'
  case $releases in file://*) protocols='=file' ;; esac
  curl --fail --silent --show-error --location --proto "$protocols" --retry 3 --output "$2" "$1"
}

sha256() {
  if command -v sha256sum > /dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1 | tr -d '\134'
}

# Downloads and unpacks; fails where there is nothing to download. A wrong checksum ends everything.
install_release() {
  local archive url expected actual
  archive=portolan-$(target).tar.gz || return 1
  if [ "$version" = latest ]; then url=$releases/latest/download; else url=$releases/download/v$version; fi
  download "$url/SHA256SUMS" SHA256SUMS || return 1
  download "$url/$archive" "$archive" || return 1
  # `sha256sum` writes a star before the name of a binary file.
  expected=$(awk -v name="$archive" '{ sub(/\r$/, ""); sub(/^\*/, "", $2) } $2 == name { print tolower($1) }' SHA256SUMS)
  actual=$(sha256 "$archive")
  if [ -z "$expected" ]; then fail "SHA256SUMS of version $version does not name $archive"; fi
  if [ "$expected" != "$actual" ]; then
    rm -f "$archive"
    fail "$archive has the SHA-256 $actual, but SHA256SUMS says $expected: not installed"
  fi
  # Names without a folder: tar on Windows takes `C:` for the name of a machine.
  tar -xzf "$archive" "$program"
}

install_from_source() {
  command -v cargo > /dev/null || fail "there is no released binary for $RUNNER_OS on $RUNNER_ARCH, and no cargo to build one"
  cargo install --locked --path "$GITHUB_ACTION_PATH" --root "$folder/source"
  cp "$folder/source/bin/$program" "$folder/$program"
}

own=$(own_version)
version=${PORTOLAN_VERSION:-$own}
version=${version#v}
# What is asked for becomes part of an address.
if ! printf '%s' "$version" | grep -Eqx '[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.-]+)?|latest' ||
  [ "$version" != "$(printf '%s' "$version" | tr -d '\r\n')" ]; then
  fail "version \`$version\` is neither a version (1.2.3) nor \`latest\`"
fi

rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
if install_release; then
  echo "Installed Portolan $version."
elif [ "$version" = "$own" ]; then
  echo "No release $version for $RUNNER_OS on $RUNNER_ARCH could be downloaded; building it."
  install_from_source
else
  fail "version $version could not be downloaded for $RUNNER_OS on $RUNNER_ARCH"
fi
chmod +x "$folder/$program"
printf 'portolan=%s\n' "$folder/$program" >> "$GITHUB_OUTPUT"
