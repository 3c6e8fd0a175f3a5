"""Gives credentials to schemathesis; scripts/schemathesis loads this file.

Random requests hardly ever have a valid key or the id of an existing session. So most requests get
valid credentials. The others stay random, because they must be rejected properly too.
"""

import json
import os
import random

import requests
import schemathesis

URL = os.environ["SESSIOND_URL"]
MASTER_KEY = os.environ["MASTER_KEY"]
RPC_SECRET = os.environ["RPC_SECRET"]
USERS_SECRET = os.environ["USERS_SECRET"]
INTROSPECTION_SECRET = os.environ["INTROSPECTION_SECRET"]
BUCKET = "schemathesis"
# Gets random settings, which must not restrict the sessions of the other bucket.
OTHER_BUCKET = "schemathesis-settings"
USER = "schemathesis"

chance = random.Random(20)


def send(method, path, **options):
    response = requests.request(method, URL + path, timeout=10, **options)
    response.raise_for_status()
    return response.json()


def api_key():
    """Returns the key of the bucket. Creates it first: requests may have deleted it."""
    headers = {"X-SESSION-KEY": MASTER_KEY}
    requests.put(f"{URL}/api-key/{BUCKET}", headers=headers, timeout=10)
    return send("GET", f"/api-key/{BUCKET}", headers=headers)["api_key"]


def session(key):
    headers = {"X-SESSION-KEY": key}
    return send("PUT", f"/session/{BUCKET}", headers=headers, json={"cart": 3})["id"]


def bearer():
    body = {"username": USER, "password": "any"}
    return send("POST", "/sessions", headers={"X-Sessiond-Secret": USERS_SECRET}, json=body)["sessionId"]


def call(method, arguments):
    body = {"args": json.dumps(arguments)}
    headers = {"X-Sessiond-Secret": RPC_SECRET}
    return send("POST", f"/rpc/{method}", headers=headers, json=body)["result"]


def arguments(method):
    """Returns valid arguments of `method`."""
    of_user = {"userId": USER, "sessionVersion": "v1"}
    if method == "create":
        return {"session": {"cart": 3}, "userId": USER}
    if method in ("get", "update", "destroy"):
        token = call("create", {"session": {"cart": 3}, "userId": USER})["token"]
        more = {"get": {"keys": chance.choice(["*", ["cart"], []])}, "update": {"session": {"cart": 4}}}
        return {"token": token, "sessionVersion": "v1", **more.get(method, {})}
    if method == "getActiveSessions" and chance.random() < 0.5:
        return {**of_user, "limit": 10}
    return of_user


METHODS = ["create", "get", "update", "destroy", "getActiveSessions", "destroyAll", "methods"]


def set_header(case, name, value):
    """Replaces a random header by a credential."""
    case.headers = {key: old for key, old in (case.headers or {}).items() if key.lower() != name.lower()}
    case.headers[name] = value


def with_key(case, key):
    """Sets the key in the header or in the query. Two keys that differ are rejected."""
    case.query = {name: old for name, old in (case.query or {}).items() if name != "api_key"}
    set_header(case, "X-SESSION-KEY", key)
    if chance.random() < 0.3:
        del case.headers["X-SESSION-KEY"]
        case.query["api_key"] = key


def to_bucket(case, bucket=BUCKET):
    if chance.random() < 0.9:
        case.path_parameters = {**(case.path_parameters or {}), "bucket": bucket}


def to_session(case, key):
    if "id" in (case.path_parameters or {}) and chance.random() < 0.8:
        case.path_parameters["id"] = session(key)


def to_rpc(case):
    set_header(case, "X-Sessiond-Secret", RPC_SECRET)
    if case.method != "POST" or chance.random() < 0.3:
        return
    _, _, method = case.path.removeprefix("/").partition("/")
    name = method or chance.choice(METHODS)
    args = arguments(name)
    case.body = {"args": chance.choice([args, json.dumps(args)])}
    case.media_type = "application/json"
    if not method:
        case.body["name"] = name


def to_introspection(case):
    set_header(case, "Authorization", f"Bearer {INTROSPECTION_SECRET}")
    if case.method == "POST" and chance.random() < 0.7:
        case.body = {"token": chance.choice([bearer, lambda: arguments("destroy")["token"]])()}
        case.media_type = "application/x-www-form-urlencoded"


@schemathesis.hook
def before_call(context, case, **kwargs):
    if chance.random() < 0.2:
        return
    path = case.path
    if path.startswith("/api-key/"):
        with_key(case, MASTER_KEY)
        to_bucket(case, OTHER_BUCKET if case.method == "PUT" else BUCKET)
    elif path == "/session/settings":
        with_key(case, api_key())
        case.query["bucket"] = BUCKET
    elif path.startswith("/session/"):
        key = api_key()
        with_key(case, key)
        to_bucket(case)
        to_session(case, key)
    elif path.startswith("/rpc"):
        to_rpc(case)
    elif path == "/introspect":
        to_introspection(case)
    elif path == "/sessions" and case.method == "POST":
        set_header(case, "X-Sessiond-Secret", USERS_SECRET)
    elif path.startswith("/sessions"):
        set_header(case, "Authorization", f"Bearer {bearer()}")
        if "username" in (case.path_parameters or {}) and chance.random() < 0.5:
            case.path_parameters["username"] = USER
