"""A gateway in Python: verifies a token with PyJWT and the JWK Set of a running sessiond, then sends
it to the introspection. See scripts/clients."""

import os
import time

import httpx
import jwt

URL = os.environ["SESSIOND_URL"]
ALGORITHM = os.environ["ALGORITHM"]
keys = jwt.PyJWKClient(f"{URL}/.well-known/jwks.json")


def call(method, **args):
    """Calls a method of the RPC API and returns its result."""
    headers = {"X-Sessiond-Secret": os.environ["RPC_SECRET"]}
    response = httpx.post(f"{URL}/rpc/{method}", headers=headers, json={"args": args})
    assert response.status_code == 200, response.text
    return response.json()["result"]


def verify(token):
    """Verifies a token with the published keys, without asking anyone."""
    key = keys.get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=[ALGORITHM])


def introspect(token):
    """Returns whether a token gives a session (RFC 7662)."""
    headers = {"Authorization": f"Bearer {os.environ['INTROSPECTION_SECRET']}"}
    response = httpx.post(f"{URL}/introspect", headers=headers, data={"token": token})
    assert response.status_code == 200, response.text
    return response.json()


token = call("create", session={"cart": [17]}, userId="jo")["token"]
claims = verify(token)
assert claims["sub"] == "jo" and "exp" not in claims
active = introspect(token)
assert active["active"] and active["sub"] == "jo" and active["exp"] > time.time(), active
assert (active["iat"], active["jti"]) == (claims["iat"], claims["jti"])

start = token.rindex(".") + 1
changed = token[:start] + ("B" if token[start] == "A" else "A") + token[start + 1 :]
try:
    verify(changed)
    raise AssertionError("the signature was changed")
except jwt.InvalidSignatureError:
    pass
assert introspect(changed) == {"active": False}

# After the logout the signature is still right. Only the introspection notices.
assert call("destroy", token=token, sessionVersion="v1") == "OK"
verify(token)
assert introspect(token) == {"active": False}
print(f"ok: PyJWT, {ALGORITHM}")
