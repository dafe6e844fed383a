-- Run once, when the database server has no data yet. Each program has tables of its own.
CREATE DATABASE mlflow;
CREATE DATABASE mlflow_auth;
CREATE DATABASE optuna;
