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
    # The last filled line of a key counts. Quotes around a value are the shell's and go; in
    # those of YAML a ' is written twice.
    awk -v quote="'" '
        /^[A-Za-z_][A-Za-z_0-9]*=./ {
            key = substr($0, 1, index($0, "=") - 1)
            if (!(key in value)) order[++count] = key
            value[key] = substr($0, index($0, "=") + 1)
        }
        function show(name, text, first) {
            first = substr(text, 1, 1)
            if (length(text) > 2 && (first == quote || first == "\"") &&
                substr(text, length(text)) == first)
                text = substr(text, 2, length(text) - 2)
            gsub(quote, quote quote, text)
            printf "  %s: %s%s%s\n", name, quote, text, quote
        }
        END {
            for (i = 1; i <= count; i++) show(order[i], value[order[i]])
            # The name that KubeRay looks for.
            if ("RAY_AUTH_TOKEN" in value) show("auth_token", value["RAY_AUTH_TOKEN"])
        }' "$env_file"
}

case "${1:-}" in
--kubernetes) as_secret ;;
-*) echo "usage: sh $0 [RUNS | --kubernetes]" >&2; exit 2 ;;
*) write "${1:-/runs}" ;;
esac
