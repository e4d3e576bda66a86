#!/bin/sh
# Serves the sample tree over TLS. It is loaded once, with the service account's password.
set -eu
umask 077
data=/var/lib/directory
if [ ! -e "$data/loaded" ]; then
  rm -f "$data"/*.mdb
  password=$(cat /var/lib/service-account/password)
  sed "s/gateway-secret/$password/" /sample/example.ldif |
    slapadd -q -f /sample/slapd.conf
  touch "$data/loaded"
fi
exec slapd -d 0 -f /sample/slapd.conf -h ldaps://0.0.0.0:1636
