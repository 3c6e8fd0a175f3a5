// Runs operations of the npm package `jwt-redis-session`: reads one JSON command per line from
// standard input and writes one JSON result per line. Environment: REDIS_URL, SECRET.
"use strict";

const readline = require("readline");
const client = require("redis").createClient(process.env.REDIS_URL);
const middleware = require("jwt-redis-session")({ client, secret: process.env.SECRET });

// Runs the middleware on a request with `token` and returns its session.
function open(token) {
  const headers = token ? { "x-access-token": token } : {};
  const req = { get: (name) => headers[name], query: {}, body: {} };
  return new Promise((resolve) => middleware(req, {}, () => resolve(req.session)));
}

// Calls a callback method of a session and returns a promise.
function call(session, method, ...args) {
  return new Promise((resolve, reject) => {
    session[method](...args, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

function found(session) {
  return session.id ? { id: session.id, claims: session.claims, session: session.toJSON() } : null;
}

const operations = {
  async create({ data, claims }) {
    const session = Object.assign(await open(), data);
    return { token: await call(session, "create", claims), id: session.id };
  },
  async read({ token }) {
    return found(await open(token));
  },
  async update({ token, data }) {
    const session = await open(token);
    Object.assign(session, data);
    await call(session, "update");
    return found(session);
  },
  async destroy({ token }) {
    return call(await open(token), "destroy");
  },
};

async function answer(line) {
  const command = JSON.parse(line);
  try {
    return { ok: await operations[command.op](command) };
  } catch (error) {
    return { error: String(error) };
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answer(line)));
  }
  client.quit();
})();
