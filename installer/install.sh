#!/bin/sh
# Installs ldap-gateway or ldap-cloud from a folder or an address with what "make packages"
# builds, once the signature of the release is verified.
#
#   install.sh ldap-gateway --from https://downloads.example.com/0.1.0 --key release.pub
#
# --key has the public key of releases, and comes from elsewhere than the files: whoever could
# change them could change a key beside them, too. Nothing is installed, nor anything but the
# list of files believed, before the list is verified by it, and the package by the list.
set -eu
umask 077

usage() {
  cat <<'END'
install.sh PROGRAM --from FOLDER-OR-URL --key FILE [--version VERSION] [--download DIR]

  PROGRAM     ldap-gateway or ldap-cloud
  --from      folder or address that has SHA256SUMS, SHA256SUMS.sig and the packages
  --key       file with the public key of releases (PEM), got in another way
  --version   this version and no other, so that nobody gives you an older one
  --download  verify the package and leave it in DIR, without installing it
  --kind      deb, rpm, apk, archlinux or tar (default: what this system has)
END
}

fail() {
  echo "install.sh: $1" >&2
  exit "${2:-1}"
}

wrong() { fail "$1; see install.sh --help" 2; }

program='' from='' key='' version='' download='' kind=''
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage && exit 0 ;;
    --from | --key | --version | --download | --kind)
      [ $# -ge 2 ] || wrong "$1 wants a value"
      case $1 in
        --from) from=${2%/} ;;
        --key) key=$2 ;;
        --version) version=$2 ;;
        --download) download=$2 ;;
        --kind) kind=$2 ;;
      esac
      shift 2
      ;;
    ldap-gateway | ldap-cloud) program=$1 && shift ;;
    *) wrong "what is $1?" ;;
  esac
done
[ -n "$program" ] || wrong "which program: ldap-gateway or ldap-cloud?"
[ -n "$from" ] || wrong "--from is missing"
[ -n "$key" ] || wrong "--key is missing: the public key of releases, got in another way than the files"
[ -r "$key" ] || fail "$key cannot be read"
case $version in *[!A-Za-z0-9.~+-]*) wrong "$version is no version" ;; esac

for tool in openssl sha256sum; do
  command -v $tool >/dev/null || fail "$tool is needed, and not installed"
done

case $(uname -m) in
  x86_64 | amd64) machine=x86_64 debian=amd64 ;;
  aarch64 | arm64) machine=aarch64 debian=arm64 ;;
  *) fail "there is no package for $(uname -m)" ;;
esac

if [ -z "$kind" ]; then
  if command -v dpkg >/dev/null; then kind=deb
  elif command -v rpm >/dev/null; then kind=rpm
  elif command -v apk >/dev/null; then kind=apk
  elif command -v pacman >/dev/null; then kind=archlinux
  else kind=tar; fi
fi
any=${version:-[A-Za-z0-9.~+-]*}
case $kind in
  deb) name="${program}_${any}_$debian.deb" ;;
  rpm) name="$program-$any-1.$machine.rpm" ;;
  apk) name="${program}_${any}_$machine.apk" ;;
  archlinux) name="$program-$any-1-$machine.pkg.tar.zst" ;;
  tar) name="$program-$any-linux-$debian.tar.gz" ;;
  *) wrong "$kind is none of deb, rpm, apk, archlinux and tar" ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

get() { # a file into the folder of this run
  case $from in
    http://* | https://*)
      if command -v curl >/dev/null; then
        curl -fsS --proto '=http,https' -o "$work/$1" "$from/$1" || fail "$from/$1 cannot be had"
      else
        wget -q -O "$work/$1" "$from/$1" || fail "$from/$1 cannot be had"
      fi
      ;;
    *) cp "$from/$1" "$work/$1" || fail "there is no $1 in $from" ;;
  esac
}

get SHA256SUMS
get SHA256SUMS.sig
openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$work/SHA256SUMS" -sigfile "$work/SHA256SUMS.sig" >/dev/null 2>&1 ||
  fail "SHA256SUMS is not signed by the key in $key: somebody may have changed it, or the key is another's. Nothing was installed"

pattern=$(printf '%s' "$name" | sed 's/[.+]/\\&/g; s/\[A-Za-z0-9\\\.~\\+-\]\*/[A-Za-z0-9.~+-]*/')
sed -n "s/^\([0-9a-f]\{64\}\)  \($pattern\)\$/\1  \2/p" "$work/SHA256SUMS" >"$work/wanted"
case $(wc -l <"$work/wanted" | tr -d ' ') in
  1) ;;
  0) fail "there is no $name in SHA256SUMS" ;;
  *) fail "there are several: say which by --version: $(sed 's/^[^ ]*  //' "$work/wanted" | tr '\n' ' ')" ;;
esac
file=$(sed 's/^[^ ]*  //' "$work/wanted")
get "$file"
(cd "$work" && sha256sum -c wanted >/dev/null 2>&1) ||
  fail "$file is not what was released: it was changed, or cut off on its way. Nothing was installed"

if [ -n "$download" ]; then
  mkdir -p "$download"
  cp "$work/$file" "$download/$file"
  echo "$file is as it was released: $download/$file"
  exit 0
fi

chmod 755 "$work" # apt reads as a user of its own
chmod 644 "$work/$file"
case $kind in
  deb) apt-get install -y --allow-downgrades "$work/$file" ;;
  rpm) if command -v dnf >/dev/null; then dnf install -y "$work/$file"; else rpm -U "$work/$file"; fi ;;
  apk) apk add --allow-untrusted "$work/$file" ;;
  archlinux) pacman --upgrade --noconfirm "$work/$file" ;;
  tar) fail "this system has none of dpkg, rpm, apk and pacman: unpack the archive yourself, had by --download DIR" ;;
esac
echo "$file is installed."
