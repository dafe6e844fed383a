#!/bin/sh
# Write cluster/.env: where runs go, and new passwords. Values that are there already stay.
#
#   sh cluster/secrets.sh s3://BUCKET/runs     # once; without an address, runs go to /runs
#   sh cluster/secrets.sh --kubernetes         # print the same as a Kubernetes Secret
set -eu
umask 077
env_file="$(dirname "$0")/.env"
token_file="$HOME/.ray/auth_token"

random() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

keep() { # NAME VALUE: only if there is no such line yet
    grep -q "^$1=." "$env_file" || printf '%s=%s\n' "$1" "$2" >>"$env_file"
}

write() {
    # Ray's own file: with it, `vaesearch submit` and `ray` from this machine are let in.
    mkdir -p "$(dirname "$token_file")"
    [ -s "$token_file" ] || random 32 >"$token_file"
    touch "$env_file"
    chmod 600 "$env_file" "$token_file"
    keep VAESEARCH_RUNS "$1"
    keep RAY_AUTH_TOKEN "$(cat "$token_file")"
    keep MLFLOW_TRACKING_USERNAME admin
    keep MLFLOW_TRACKING_PASSWORD "$(random 16)"
    keep MLFLOW_FLASK_SERVER_SECRET_KEY "$(random 32)"
    keep PGPASSWORD "$(random 16)"
    echo "cluster/.env has the addresses and passwords; MLflow's user is admin." >&2
}

as_secret() {
    [ -s "$env_file" ] || { echo "there is no $env_file: run sh $0 s3://BUCKET/runs" >&2; exit 2; }
    printf 'apiVersion: v1\nkind: Secret\ntype: Opaque\n'
    printf 'metadata:\n  name: vaesearch\n  namespace: vaesearch\nstringData:\n'
    sed -n "s/^\([A-Z_]*\)=\(.*\)/  \1: '\2'/p" "$env_file"
    sed -n "s/^RAY_AUTH_TOKEN=\(.*\)/  auth_token: '\1'/p" "$env_file" # KubeRay's name for it
}

case "${1:-}" in
--kubernetes) as_secret ;;
-*) echo "usage: sh $0 [RUNS | --kubernetes]" >&2; exit 2 ;;
*) write "${1:-/runs}" ;;
esac
