#!/bin/sh
# What a machine of a cluster made by `ray up` does; the launcher copies this folder to ~/vaesearch.
#
#   . ~/vaesearch/node.sh              # sets the environment; also from ~/.bashrc
#   sh ~/vaesearch/node.sh install s3  # installs Python and the wheel, with these extras
#   sh ~/vaesearch/node.sh mlflow      # starts the MLflow server, on the head

# The Python of the machine that you submit from: 3.11 or 3.12.
: "${VAESEARCH_PYTHON:=3.11}"

environment() {
    unset MLFLOW_TRACKING_URI
    set -a
    [ ! -f ~/vaesearch/.env ] || . ~/vaesearch/.env
    RAY_AUTH_MODE=token
    # An address in .env wins; otherwise the server is on the head, which Ray names to workers.
    MLFLOW_TRACKING_URI="${MLFLOW_TRACKING_URI:-http://${RAY_HEAD_IP:-127.0.0.1}:5000}"
    PATH="$HOME/venv/bin:$HOME/.local/bin:$PATH"
    set +a
}

install_here() {
    command -v uv >/dev/null || curl -LsSf https://astral.sh/uv/install.sh | sh
    [ -x ~/venv/bin/python ] || uv venv --python "$VAESEARCH_PYTHON" ~/venv
    wheel="$(ls -t ~/vaesearch/wheel/vaesearch-*.whl | head -n 1)"
    uv pip install --python ~/venv/bin/python --constraint ~/vaesearch/constraints.txt \
        "$wheel[${1:-s3}]" 'mlflow[auth]' boto3 google-api-python-client
    grep -q vaesearch/node.sh ~/.bashrc 2>/dev/null || echo '. ~/vaesearch/node.sh' >>~/.bashrc
}

# The store is a file on the head: what it loses, `vaesearch sync RUN_DIR` sends again.
start_mlflow() {
    port="${MLFLOW_PORT:-5000}"
    python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$port/health')" \
        2>/dev/null && return
    : "${VAESEARCH_RUNS:?set it in cluster/.env}" "${MLFLOW_TRACKING_PASSWORD:?set it in .env}"
    (umask 077; mkdir -p ~/mlflow)
    printf '[mlflow]\ndefault_permission = READ\nauthorization_function = %s\n%s\n' \
        mlflow.server.auth:authenticate_request_basic_auth \
        "database_uri = sqlite:///$HOME/mlflow/auth.db" >~/mlflow/auth.ini
    export MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false # its background jobs are not for us
    export MLFLOW_AUTH_CONFIG_PATH="$HOME/mlflow/auth.ini"
    export MLFLOW_AUTH_ADMIN_USERNAME="${MLFLOW_TRACKING_USERNAME:-admin}"
    export MLFLOW_AUTH_ADMIN_PASSWORD="$MLFLOW_TRACKING_PASSWORD"
    # Of itself it answers to private numbers only, and to any name that begins like one.
    hosts="localhost:*,127.0.0.1:*"
    for name in $(hostname) $(hostname -f 2>/dev/null) $(hostname -I 2>/dev/null) ${RAY_HEAD_IP:-}
    do
        case "$name" in *:*) name="[$name]" ;; esac
        hosts="$hosts,$name:$port"
    done
    cd ~/mlflow || return
    setsid nohup mlflow server --app-name basic-auth --host 0.0.0.0 --port "$port" --workers 2 \
        --backend-store-uri "sqlite:///$HOME/mlflow/mlflow.db" \
        --artifacts-destination "${VAESEARCH_RUNS%/}/mlflow-artifacts" \
        --allowed-hosts "$hosts${MLFLOW_HOSTS:+,$MLFLOW_HOSTS}" \
        </dev/null >~/mlflow/server.log 2>&1 &
    echo $! >~/mlflow/server.pid
}

environment
case "${1:-}" in
install) set -eu; install_here "${2:-s3}" ;;
mlflow) set -eu; start_mlflow ;;
esac
