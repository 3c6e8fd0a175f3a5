// express-session with connect-redis. Variants: documented, sessions saved at the end of a response;
// best, saved before the answer, and a client that fails soon and connects again soon.
import { RedisStore } from "connect-redis";
import session from "express-session";
import { createClient } from "redis";
import { call, loggedIn, secret, serve, settings } from "./server.mjs";

// With `socketTimeout` alone, a client did not return within 15 s after Redis hung; without PINGs, it
// closes connections that are not used.
const best = {
  disableOfflineQueue: true,
  pingInterval: 1000,
  socket: { connectTimeout: 1000, reconnectStrategy: 200, socketTimeout: 2000 },
};
const client = createClient({ url: settings.redisUrl, ...(settings.isBest ? best : {}) });
// Without a listener the process ends with the first error.
client.on("error", () => {});
await client.connect();

const middleware = session({
  store: new RedisStore({ client, ttl: settings.maxAge }),
  secret,
  resave: false,
  saveUninitialized: false,
});

async function answer(req, res, explicit) {
  if (explicit || settings.isBest) await call(req.session, "save");
  res.send();
}

async function add(req, res) {
  req.session.count = (req.session.count ?? 0) + 1;
  await answer(req, res);
}

serve(middleware, {
  // As in "User login" of the README of express-session, with `renew`.
  async "post /login"(req, res) {
    if (req.query.renew) await call(req.session, "regenerate");
    req.session.user = req.query.user;
    await answer(req, res, req.query.renew);
  },
  "get /read": loggedIn((req, res) => {
    const { cookie, ...fields } = req.session;
    res.json(fields);
  }),
  "get /field": loggedIn((req, res) => res.type("text").send(req.session.a)),
  "post /set": loggedIn(async (req, res) => {
    req.session[req.query.k] = req.query.v;
    await answer(req, res, req.query.explicit);
  }),
  "post /update": loggedIn(add),
  "post /add": loggedIn(add),
  // A new id without the data: it is copied by hand.
  "post /rotate": loggedIn(async (req, res) => {
    const { cookie, ...fields } = req.session;
    await call(req.session, "regenerate");
    Object.assign(req.session, fields);
    await answer(req, res);
  }),
  async "post /logout"(req, res) {
    await call(req.session, "destroy");
    res.send();
  },
});
