// What the servers in JavaScript have in common; src/servers/contract.rs describes the routes.
import express from "express";
import { setTimeout as sleep } from "node:timers/promises";

const { PORT = "0", REDIS_URL, MAX_AGE = "86400", VARIANT } = process.env;

export const settings = { redisUrl: REDIS_URL, maxAge: Number(MAX_AGE), isBest: VARIANT === "best" };
export const secret = "a secret for these measurements, of 64 characters or a few more..";

// Calls `object[method]` with a callback and returns a promise.
export function call(object, method, ...args) {
  return new Promise((resolve, reject) => {
    object[method](...args, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

// Wraps a handler that needs a session: waits for `sleep_ms` after the session was loaded.
export function loggedIn(handler) {
  return async (req, res) => {
    if (!req.session.user) return res.sendStatus(401);
    if (req.query.sleep_ms > 0) await sleep(Number(req.query.sleep_ms));
    return handler(req, res);
  };
}

// Serves until the process is killed.
export function serve(middleware, routes) {
  const app = express();
  app.use(middleware);
  for (const [route, handler] of Object.entries(routes)) {
    const [method, path] = route.split(" ");
    app[method](path, handler);
  }
  app.get("/none", (req, res) => res.send("none"));
  app.use((error, req, res, next) => (res.headersSent ? next(error) : res.status(500).end()));
  const server = app.listen(Number(PORT), "127.0.0.1", () => {
    console.log(`listening on 127.0.0.1:${server.address().port}`);
  });
}
