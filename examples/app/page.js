// The page of the example app. No libraries; all text goes in as text, never as HTML.

// Where the token is kept: in sessionStorage, so that it ends with the tab, survives a reload and
// is shared with no other tab. Any script that runs on the page can read it there, which is why
// the Content-Security-Policy allows this file only. A real app that need not survive a reload
// keeps it in a variable; localStorage would keep it on the disk, for all tabs.
const store = {
  get token() { return sessionStorage.getItem("token"); },
  set token(token) {
    if (token) sessionStorage.setItem("token", token);
    else sessionStorage.removeItem("token");
  },
};

const $ = (id) => document.getElementById(id);

class Failure extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Calls a route; the token goes in a header, so that no log and no history contains it. */
async function call(route, params = {}) {
  const headers = { "Content-Type": "application/json" };
  if (store.token) headers.Authorization = `Bearer ${store.token}`;
  const body = JSON.stringify(params);
  const response = await fetch(`/session/${route}`, { method: "POST", headers, body })
    .catch(() => { throw new Failure(0, "The server does not answer."); });
  const text = await response.text();
  const answer = text ? JSON.parse(text) : {};
  if (!response.ok) throw new Failure(response.status, answer.error);
  return answer;
}

/** Runs what a button does, and shows how it went. */
async function run(action) {
  say("");
  try {
    say(await action());
  } catch (failure) {
    // An outage (503) is no logout: the token is kept.
    if (failure.status === 401) showLoggedOut();
    say(failure.status ? `${failure.status}: ${failure.message}` : failure.message, true);
  }
}

function say(text, failed = false) {
  const message = $("message");
  message.textContent = text ?? "";
  message.classList.toggle("failed", failed);
  message.hidden = !text;
}

/** Header and claims of a JWT. Anyone who holds it can read them; only the server can check it. */
function decode(token) {
  return token.split(".").slice(0, 2).map((part) => {
    const base64 = part.replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  });
}

const pretty = (value) => JSON.stringify(value, null, 2);

function showToken() {
  const [header, claims] = decode(store.token);
  $("token").textContent = store.token;
  $("token-header").textContent = pretty(header);
  $("token-claims").textContent = pretty(claims);
}

function showData(session) {
  $("user").textContent = session.user?.name ?? "";
  $("data").textContent = pretty(session);
}

async function showAll() {
  const { id, session } = await call("read");
  $("id").textContent = id;
  showData(session);
  showToken();
  await showList();
  $("logged-out").hidden = true;
  $("logged-in").hidden = false;
  watch();
}

function showLoggedOut() {
  unwatch();
  store.token = null;
  for (const id of ["token", "token-header", "token-claims", "id", "user", "data", "sessions"]) {
    $(id).textContent = "";
  }
  $("logged-in").hidden = true;
  $("logged-out").hidden = false;
}

/** Aborts the stream of this tab. */
let watching;

function unwatch() {
  watching?.abort();
  watching = undefined;
}

/** Logs this tab out when its session ends elsewhere, and says why. */
async function watch() {
  unwatch();
  const { signal } = (watching = new AbortController());
  while (!signal.aborted) {
    const reason = await reasonOfEnd(signal).catch(() => "unknown");
    if (signal.aborted) return;
    if (reason !== "unknown") {
      showLoggedOut();
      return say(`Your session has ended: ${reason}.`, true);
    }
    // An outage is no logout: the token is kept.
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

/** Reads the stream to its end. `EventSource` could not send the token in a header. */
async function reasonOfEnd(signal) {
  const headers = { Authorization: `Bearer ${store.token}` };
  const response = await fetch("/session/events", { headers, signal });
  if (response.status === 401) return "the token is not valid";
  const end = /^event: end\ndata: (.*)$/m.exec(await response.text());
  return end?.[1] ?? "unknown";
}

/** Runs an action that ends the session of this tab. */
async function unwatched(action) {
  unwatch();
  try {
    return await action();
  } finally {
    if (store.token) watch();
  }
}

async function showList() {
  const { sessions } = await call("list");
  $("sessions").replaceChildren(...sessions.map(row));
}

function row(entry) {
  const time = (seconds) => (seconds === null ? "–" : new Date(seconds * 1000).toLocaleString());
  const name = document.createElement("code");
  name.textContent = `${entry.id.slice(0, 12)}…`;
  name.title = entry.id;
  const end = entry.current ? currentLabel() : button(entry.id);
  const row = document.createElement("tr");
  row.append(
    column("Session", name),
    column("Created", time(entry.created)),
    column("Expires", time(entry.expires)),
    column("", end),
  );
  return row;
}

function column(label, content) {
  const column = document.createElement("td");
  column.dataset.label = label;
  column.append(content);
  return column;
}

function currentLabel() {
  const label = document.createElement("span");
  label.className = "current";
  label.textContent = "this one";
  return label;
}

function button(id) {
  const button = document.createElement("button");
  button.textContent = "End";
  button.setAttribute("aria-label", `End session ${id.slice(0, 12)}`);
  button.addEventListener("click", () => run(async () => {
    await call("destroy", { id });
    await showList();
    return "That session has ended.";
  }));
  return button;
}

/** JSON if it is JSON, and else the text itself. */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function onSubmit(id, action) {
  $(id).addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    run(() => action(Object.fromEntries(new FormData(form)), form));
  });
}

const onClick = (id, action) => $(id).addEventListener("click", () => run(action));

onSubmit("login", async ({ username, password }, form) => {
  store.token = (await call("create", { username, password })).token;
  form.reset();
  await showAll();
  return `Welcome, ${username}.`;
});

onSubmit("update", async ({ field, value }, form) => {
  // Not `{[field]: …}` on a plain object: "__proto__" is a field like any other.
  const params = Object.defineProperty({}, field, { value: parse(value), enumerable: true });
  showData((await call("update", params)).session);
  form.reset();
  return "Updated: merged with what others wrote.";
});

onClick("reload", async () => {
  showData((await call("reload")).session);
  return "Reloaded.";
});

onClick("touch", async () => {
  showData((await call("touch")).session);
  await showList();
  return "Touched: the time to live starts anew.";
});

onClick("rotate", () => unwatched(async () => {
  store.token = (await call("rotate")).token;
  await showAll();
  return "Rotated: the old token is dead.";
}));

onClick("list", showList);

onClick("destroy", () => unwatched(async () => {
  await call("destroy");
  showLoggedOut();
  return "Logged out.";
}));

onClick("destroy-others", async () => {
  const { destroyed } = await call("destroy-others");
  await showList();
  return `Other sessions that ended: ${destroyed}.`;
});

onClick("destroy-all", () => unwatched(async () => {
  const { destroyed } = await call("destroy-all");
  showLoggedOut();
  return `Sessions that ended: ${destroyed}.`;
}));

if (store.token) run(showAll);
