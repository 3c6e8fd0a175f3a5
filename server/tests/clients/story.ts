// Runs the calls of server/README.md with a client that openapi-typescript and openapi-fetch make of
// the OpenAPI document; see scripts/clients. `tsc --strict` has checked the types before.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

const baseUrl = process.env.SESSIOND_URL!;
const client = createClient<paths>({ baseUrl });

/** Asserts the status of an answer, and returns its body or its error. */
function expect<Data, Failure>(
  status: number, answer: { data?: Data; error?: Failure; response: Response },
): { data: Data; error: Failure } {
  assert.equal(answer.response.status, status, JSON.stringify(answer.error));
  return answer as { data: Data; error: Failure };
}

/** Returns a client that sends `value` in a header with each call. */
const withHeader = (name: string, value: string) =>
  createClient<paths>({ baseUrl, headers: { [name]: value } });

async function buckets() {
  const master = withHeader("X-SESSION-KEY", process.env.MASTER_KEY!);
  const bucket = { params: { path: { bucket: "shop" } } };
  const { api_key } = expect(201, await master.PUT("/api-key/{bucket}", bucket)).data;
  expect(409, await master.PUT("/api-key/{bucket}", bucket));
  assert.equal(expect(200, await master.GET("/api-key/{bucket}", bucket)).data.api_key, api_key);
  assert.equal(expect(200, await client.GET("/session/settings")).data.session_ttl, 2_592_000);

  const shop = withHeader("X-SESSION-KEY", api_key);
  const created = await shop.PUT("/session/{bucket}", { ...bucket, body: { cart: [17, 42] } });
  const { id, expires } = expect(201, created).data;
  assert.ok(expires > Date.now() / 1000);
  const session = { params: { path: { bucket: "shop", id } } };
  const read = await shop.GET("/session/{bucket}/{id}", session);
  assert.deepEqual(expect(200, read).data.data, { cart: [17, 42] });
  expect(401, await client.GET("/session/{bucket}/{id}", session));

  const etag = read.response.headers.get("etag")!;
  const write = (data: unknown) => shop.POST("/session/{bucket}/{id}", {
    params: { ...session.params, header: { "If-Match": etag } }, body: data,
  });
  assert.deepEqual(expect(200, await write({ cart: [17] })).data.data, { cart: [17] });
  assert.ok(expect(412, await write("late")).error.error);
  expect(200, await shop.DELETE("/session/{bucket}/{id}", session));
  expect(404, await shop.GET("/session/{bucket}/{id}", session));
  expect(200, await master.DELETE("/api-key/{bucket}", bucket));
  expect(401, await shop.PUT("/session/{bucket}", bucket));
}

async function rpc() {
  const rpc = withHeader("X-Sessiond-Secret", process.env.RPC_SECRET!);
  const userId = "jo", sessionVersion = "v1";
  const create = { args: { session: { cart: [17] }, userId } };
  expect(401, await client.POST("/rpc/create", { body: create }));
  const { token } = expect(200, await rpc.POST("/rpc/create", { body: create })).data.result;
  const named = { token, sessionVersion };
  const get = { args: { ...named, keys: ["cart"] } };
  const { result } = expect(200, await rpc.POST("/rpc/get", { body: get })).data;
  assert.deepEqual(result, { cart: [17] });
  const update = { args: { ...named, session: { seen: true } } };
  assert.equal(expect(200, await rpc.POST("/rpc/update", { body: update })).data.result, "OK");
  const user = { body: { args: { userId, sessionVersion } } };
  const listed = expect(200, await rpc.POST("/rpc/getActiveSessions", user)).data.result;
  if (!Array.isArray(listed)) throw new Error("a page");
  const [only] = listed;
  assert.deepEqual(only.session, { cart: [17], seen: true });
  assert.ok(only.sessionId.startsWith("v1_jo_") && only.expiresAt! > only.createdAt!);
  const one = { body: { args: { userId, sessionVersion, limit: 1 } } };
  const page = expect(200, await rpc.POST("/rpc/getActiveSessions", one)).data.result;
  if (Array.isArray(page)) throw new Error("not a page");
  assert.deepEqual(page.sessions, listed);
  const destroy = () => rpc.POST("/rpc/destroy", { body: { args: named } });
  assert.equal(expect(200, await destroy()).data.result, "OK");
  assert.equal(expect(400, await destroy()).error.error.includes("destroy"), true);
  assert.equal(expect(200, await rpc.POST("/rpc/get", { body: get })).data.result, null);
  assert.equal(expect(200, await rpc.POST("/rpc/destroyAll", user)).data.result, 0);
  const methods = expect(200, await rpc.POST("/rpc/methods")).data.result;
  assert.ok(methods.some((method) => method.name === "getActiveSessions"));
  // Arguments as text, and version 1 of the wire format.
  const text = JSON.stringify(create.args);
  expect(200, await rpc.POST("/rpc/create", { body: { args: text } }));
  expect(200, await rpc.POST("/rpc", { body: { name: "create", args: text } }));
  assert.equal(expect(200, await client.GET("/health-check")).data.status, "awesome");
}

async function users() {
  const login = withHeader("X-Sessiond-Secret", process.env.USERS_SECRET!);
  const body = { username: "jo", password: "not checked" };
  const { sessionId } = expect(200, await login.POST("/sessions", { body })).data;
  const jo = withHeader("Authorization", `Bearer ${sessionId}`);
  assert.equal(expect(200, await jo.GET("/sessions")).data.username, "jo");
  const end = (username: string) =>
    jo.DELETE("/sessions/{username}", { params: { path: { username } } });
  assert.equal(expect(401, await end("sam")).error.error, "Invalid session.");
  assert.equal(expect(200, await end("jo")).data.username, "jo");
  expect(401, await jo.GET("/sessions"));
}

await buckets();
await rpc();
await users();
assert.equal(expect(200, await client.GET("/readyz")).data.status, "ok");
console.log("ok: TypeScript");
