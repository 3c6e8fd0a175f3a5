"""Runs the calls of server/README.md with a client that openapi-python-client makes of the OpenAPI
document; see scripts/clients.
"""

import os
import time

from sessiond_client import AuthenticatedClient, Client, models
from sessiond_client.api.buckets import (
    create_api_key, create_session, delete_api_key, end_session, read_api_key, read_session,
    read_settings, replace_session,
)
from sessiond_client.api.operators import readyz
from sessiond_client.api.rpc import (
    health_check, rpc_call, rpc_create, rpc_destroy, rpc_destroy_all, rpc_get,
    rpc_get_active_sessions, rpc_methods, rpc_update,
)
from sessiond_client.api.users import create_user_session, end_user_sessions, read_user

URL = os.environ["SESSIOND_URL"]
client = Client(URL)


def with_header(name, value, prefix=""):
    return AuthenticatedClient(URL, token=value, prefix=prefix, auth_header_name=name)


def expect(status, answer):
    """Checks the status of an answer, and returns its body."""
    assert answer.status_code == status, (answer.status_code, answer.content)
    assert answer.parsed is not None
    return answer.parsed


def buckets():
    master = with_header("X-SESSION-KEY", os.environ["MASTER_KEY"])
    api_key = expect(201, create_api_key.sync_detailed("shop", client=master)).api_key
    expect(409, create_api_key.sync_detailed("shop", client=master))
    assert expect(200, read_api_key.sync_detailed("shop", client=master)).api_key == api_key
    assert expect(200, read_settings.sync_detailed(client=client)).session_ttl == 2_592_000

    shop = with_header("X-SESSION-KEY", api_key)
    cart = {"cart": [17, 42]}
    session = expect(201, create_session.sync_detailed("shop", client=shop, body=cart))
    assert session.expires > time.time()
    named = ("shop", session.id)
    read = read_session.sync_detailed(*named, client=shop)
    assert expect(200, read).data == cart
    expect(401, read_session.sync_detailed(*named, client=with_header("X-SESSION-KEY", "wrong")))

    def write(data):
        etag = read.headers["etag"]
        return replace_session.sync_detailed(*named, client=shop, body=data, if_match=etag)

    assert expect(200, write({"cart": [17]})).data == {"cart": [17]}
    assert expect(412, write("late")).error
    expect(200, end_session.sync_detailed(*named, client=shop))
    expect(404, read_session.sync_detailed(*named, client=shop))
    expect(200, delete_api_key.sync_detailed("shop", client=master))
    expect(401, create_session.sync_detailed("shop", client=shop, body=cart))


def rpc():
    rpc = with_header("X-Sessiond-Secret", os.environ["RPC_SECRET"])

    def call(method, status, call_type, arguments):
        return expect(status, method.sync_detailed(client=rpc, body=call_type(args=arguments)))

    cart = models.Fields.from_dict({"cart": [17]})
    create = models.CreateArguments(session=cart, user_id="jo")
    token = call(rpc_create, 200, models.CreateCall, create).result.token
    get = models.GetArguments(token=token, session_version="v1", keys=["cart"])
    assert call(rpc_get, 200, models.GetCall, get).result.to_dict() == {"cart": [17]}
    seen = models.Fields.from_dict({"seen": True})
    update = models.UpdateArguments(token=token, session_version="v1", session=seen)
    assert call(rpc_update, 200, models.UpdateCall, update).result == "OK"
    user = models.UserArguments(user_id="jo", session_version="v1")
    listed = models.ListArguments(user_id="jo", session_version="v1")
    [only] = call(rpc_get_active_sessions, 200, models.ListCall, listed).result
    listed.limit = 1
    page = call(rpc_get_active_sessions, 200, models.ListCall, listed).result
    assert page.sessions == [only]
    assert only.session.to_dict() == {"cart": [17], "seen": True}
    assert only.session_id.startswith("v1_jo_") and only.expires_at > only.created_at
    named = models.TokenArguments(token=token, session_version="v1")
    assert call(rpc_destroy, 200, models.TokenCall, named).result == "OK"
    assert "destroy" in call(rpc_destroy, 400, models.TokenCall, named).error
    assert call(rpc_get, 200, models.GetCall, get).result is None
    assert call(rpc_destroy_all, 200, models.UserCall, user).result == 0
    methods = expect(200, rpc_methods.sync_detailed(client=rpc)).result
    assert "getActiveSessions" in [method.name for method in methods]
    # Arguments as text, and version 1 of the wire format.
    text = '{"session":{},"userId":"jo"}'
    call(rpc_create, 200, models.CreateCall, text)
    body = models.Call(name="create", args=text)
    expect(200, rpc_call.sync_detailed(client=rpc, body=body))
    assert expect(200, health_check.sync_detailed(client=client)).status == "awesome"


def users():
    login = with_header("X-Sessiond-Secret", os.environ["USERS_SECRET"])
    body = models.Credentials(username="jo", password="not checked")
    token = expect(200, create_user_session.sync_detailed(client=login, body=body)).session_id
    jo = with_header("Authorization", token, prefix="Bearer")
    assert expect(200, read_user.sync_detailed(client=jo)).username == "jo"
    assert expect(401, end_user_sessions.sync_detailed("sam", client=jo)).error == "Invalid session."
    assert expect(200, end_user_sessions.sync_detailed("jo", client=jo)).username == "jo"
    expect(401, read_user.sync_detailed(client=jo))


buckets()
rpc()
users()
assert expect(200, readyz.sync_detailed(client=client)).status == "ok"
print("ok: Python")
