// A gateway in Node: verifies a token with jose and the JWK Set of a running sessiond, then sends it to the
// introspection. See scripts/clients.

import assert from "node:assert/strict";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const { SESSIOND_URL, ALGORITHM, RPC_SECRET, INTROSPECTION_SECRET } = process.env;
const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", SESSIOND_URL));

/** Calls a method of the RPC API and returns its result. */
async function call(method, args) {
  const response = await fetch(`${SESSIOND_URL}/rpc/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-sessiond-secret": RPC_SECRET },
    body: JSON.stringify({ args }),
  });
  assert.equal(response.status, 200);
  return (await response.json()).result;
}

/** Returns whether a token gives a session (RFC 7662). */
async function introspect(token, secret = INTROSPECTION_SECRET) {
  const credentials = Buffer.from(`gateway:${encodeURIComponent(secret)}`).toString("base64");
  const response = await fetch(`${SESSIOND_URL}/introspect`, {
    method: "POST",
    headers: { authorization: `Basic ${credentials}` },
    body: new URLSearchParams({ token, token_type_hint: "access_token" }),
  });
  return { status: response.status, body: await response.json() };
}

const { token } = await call("create", { session: { cart: [17] }, userId: "jo" });
const { payload, protectedHeader } = await jwtVerify(token, keys, { algorithms: [ALGORITHM] });
assert.equal(protectedHeader.alg, ALGORITHM);
assert.equal(payload.sub, "jo");
assert.equal(payload.exp, undefined, "the token alone never expires");

const active = await introspect(token);
assert.equal(active.status, 200);
assert.deepEqual(
  [active.body.active, active.body.sub, active.body.iat, active.body.jti],
  [true, "jo", payload.iat, payload.jti],
);
assert.ok(active.body.exp > Date.now() / 1000);
assert.equal((await introspect(token, "wrong")).status, 401);

const changed = token.replace(/[^.]*$/, (text) => (text[0] === "A" ? "B" : "A") + text.slice(1));
await assert.rejects(jwtVerify(changed, keys), errors.JWSSignatureVerificationFailed);
assert.deepEqual((await introspect(changed)).body, { active: false });

// After the logout the signature is still right. Only the introspection notices.
assert.equal(await call("destroy", { token, sessionVersion: "v1" }), "OK");
await jwtVerify(token, keys, { algorithms: [ALGORITHM] });
assert.deepEqual(await introspect(token), { status: 200, body: { active: false } });
console.log(`ok: jose, ${ALGORITHM}`);
