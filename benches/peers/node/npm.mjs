// jwt-redis-session 1.0.5 on express. Variants: documented, the defaults of its client; best,
// without the queue of commands while the client is not connected, and with a reconnect every 0.2 s.
import jwtRedisSession from "jwt-redis-session";
import redis from "redis-callbacks";
import { call, loggedIn, secret, serve, settings } from "./server.mjs";

const best = { enable_offline_queue: false, retry_strategy: () => 200 };
const client = redis.createClient(settings.redisUrl, settings.isBest ? best : {});
// Without a listener the process ends with the first error.
client.on("error", () => {});
await new Promise((resolve) => client.once("ready", resolve));

const sessions = jwtRedisSession({ client, secret, maxAge: settings.maxAge });

// The clients of all servers send the token in the same header.
function middleware(req, res, next) {
  const bearer = /^Bearer (.*)$/.exec(req.headers.authorization ?? "");
  if (bearer) req.headers["x-access-token"] = bearer[1];
  sessions(req, res, next);
}

async function save(req, res) {
  await call(req.session, "update");
  res.send();
}

async function add(req, res) {
  req.session.count = (req.session.count ?? 0) + 1;
  await save(req, res);
}

serve(middleware, {
  async "post /login"(req, res) {
    req.session.user = req.query.user;
    res.type("text").send(await call(req.session, "create"));
  },
  "get /read": loggedIn((req, res) => res.json(req.session.toJSON())),
  "get /field": loggedIn((req, res) => res.type("text").send(req.session.a)),
  "post /set": loggedIn(async (req, res) => {
    req.session[req.query.k] = req.query.v;
    await save(req, res);
  }),
  "post /update": loggedIn(add),
  "post /add": loggedIn(add),
  "post /logout": loggedIn(async (req, res) => {
    await call(req.session, "destroy");
    res.send();
  }),
});
