#!/bin/sh
# Makes, once, an authority with certificates for the cloud and the directory, and the
# password of the service account. The authority's key is kept nowhere.
set -eu
umask 077
[ ! -e /tls/authority/ca.pem ] || exit 0
cd /tmp

certificate() { # NAME HOSTS
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>&1
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$2" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile "$1.ext" -out "$1.pem" 2>&1
  cp "$1.key" "$1.pem" "/tls/$1/"
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=ldap-gateway sample" \
  -addext keyUsage=critical,keyCertSign -keyout ca.key -out ca.pem 2>&1
certificate cloud DNS:localhost,DNS:cloud
certificate directory DNS:directory
openssl rand -hex 20 >/var/lib/service-account/password
cp ca.pem /tls/authority/new
chmod 0644 /tls/authority/new
mv /tls/authority/new /tls/authority/ca.pem # last: it says that all is there
