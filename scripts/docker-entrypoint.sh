#!/bin/sh
# Hands the secrets of the volume (made by scripts/makeSecrets.js) to the program as variables. What is set already wins,
# so that secrets may come from elsewhere. Without the volume it adds nothing.
set -eu

secrets=${SECRETS_DIR:-/secrets}

if [ -r "$secrets/jwt-secret" ] && [ -z "${JWT_SECRET:-}" ]; then
  JWT_SECRET=$(cat "$secrets/jwt-secret")
  export JWT_SECRET
fi
if [ -r "$secrets/jwt-secret-previous" ] && [ -z "${JWT_SECRET_PREVIOUS:-}" ]; then
  JWT_SECRET_PREVIOUS=$(cat "$secrets/jwt-secret-previous")
  export JWT_SECRET_PREVIOUS
fi
if [ -r "$secrets/owner-code" ] && [ -z "${OWNER_CODE:-}" ]; then
  OWNER_CODE=$(cat "$secrets/owner-code")
  export OWNER_CODE
fi
# The password is made of hexadecimal digits, so it stands in an address as it is.
if [ -n "${MYSQL_HOST:-}" ] && [ -z "${DATABASE_URL:-}" ]; then
  DATABASE_URL="mysql://recount:$(cat "$secrets/mysql-password")@$MYSQL_HOST:3306/recount"
  export DATABASE_URL
fi

exec node "$(dirname "$0")/../bin/recount.js" "$@"
