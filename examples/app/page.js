// The page of the example app. No libraries; all text goes in as text, never as HTML.

class Failure extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
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

/** JSON if it is JSON, and else the text itself. */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Returns an element of a class, with text or other elements in it. */
function element(name, className, ...content) {
  const element = document.createElement(name);
  element.className = className;
  element.append(...content);
  return element;
}

/** A device of a user, with its own session and token. */
class Device {
  /** Aborts the stream that waits for the end of the session. */
  #watching;

  constructor(number) {
    this.key = number === 1 ? "token" : `token-${number}`;
    this.root = document.getElementById("device").content.cloneNode(true).firstElementChild;
    this.root.setAttribute("aria-label", `Device ${number}`);
    this.root.querySelector(".device-name").textContent = `Device ${number}`;
    for (const form of this.root.querySelectorAll("form")) {
      const submit = this[form.dataset.form];
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.#run(() => submit.call(this, Object.fromEntries(new FormData(form)), form));
      });
    }
    for (const button of this.root.querySelectorAll("[data-action]")) {
      const action = this[button.dataset.action];
      button.addEventListener("click", () => this.#run(() => action.call(this)));
    }
    document.getElementById("devices").append(this.root);
    if (this.token) this.#run(() => this.#showAll({ focus: false }));
  }

  // Where the token is kept: in sessionStorage, so that it ends with the tab, survives a reload and
  // is shared with no other tab. Any script that runs on the page can read it there, which is why
  // the Content-Security-Policy allows this file only. A real app that need not survive a reload
  // keeps it in a variable; localStorage would keep it on the disk, for all tabs.
  get token() { return sessionStorage.getItem(this.key); }
  set token(token) {
    if (token) sessionStorage.setItem(this.key, token);
    else sessionStorage.removeItem(this.key);
  }

  /** In front of the routes: the app has one key of each kind. */
  get path() { return sessionStorage.getItem(`${this.key}-path`) ?? ""; }
  set path(path) { sessionStorage.setItem(`${this.key}-path`, path); }

  part(name) { return this.root.querySelector(`[data-part="${name}"]`); }

  /** Calls a route; the token goes in a header, so that no log and no history contains it. */
  async #call(route, params = {}) {
    const headers = { "Content-Type": "application/json" };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    const body = JSON.stringify(params);
    const response = await fetch(`${this.path}/session/${route}`, { method: "POST", headers, body })
      .catch(() => { throw new Failure(0, "The server does not answer."); });
    const text = await response.text();
    const answer = text ? JSON.parse(text) : {};
    if (!response.ok) throw new Failure(response.status, answer.error);
    return answer;
  }

  /** Runs what a button does, and shows how it went. */
  async #run(action) {
    this.#say("");
    try {
      this.#say(await action());
    } catch (failure) {
      // An outage (503) is no logout: the token is kept.
      if (failure.status === 401) {
        this.#showLoggedOut({ focus: true });
        this.#say("This session is not valid any more: it was ended elsewhere, or has expired.", true);
      } else {
        this.#say(failure.status ? `${failure.status}: ${failure.message}` : failure.message, true);
      }
    }
  }

  #say(text, failed = false) {
    const message = this.root.querySelector(".message");
    message.textContent = text ?? "";
    message.classList.toggle("failed", failed);
    message.hidden = !text;
  }

  /** Shows one of both views, and moves the focus to it: what had it is hidden. */
  #show(isLoggedIn, { focus }) {
    const hadFocus = this.root.contains(document.activeElement);
    this.root.querySelector("dialog").close();
    this.root.querySelector(".logged-out").hidden = isLoggedIn;
    this.root.querySelector(".logged-in").hidden = !isLoggedIn;
    if (focus || hadFocus) this.part(isLoggedIn ? "session-title" : "login-title").focus();
  }

  async #showAll({ focus }) {
    const { id, session } = await this.#call("read");
    this.part("id").textContent = id;
    this.#showData(session);
    const [header, claims] = decode(this.token);
    this.part("token").textContent = this.token;
    this.part("token-header").textContent = pretty(header);
    this.part("token-claims").textContent = pretty(claims);
    await this.list();
    this.#show(true, { focus });
    this.#watch();
  }

  #showData(session) {
    this.part("user").textContent = session.user?.name ?? "";
    this.part("data").textContent = pretty(session);
  }

  #showLoggedOut({ focus }) {
    this.#unwatch();
    this.token = null;
    for (const name of ["token", "token-header", "token-claims", "id", "user", "data", "sessions"]) {
      this.part(name).textContent = "";
    }
    this.#show(false, { focus });
  }

  #unwatch() {
    this.#watching?.abort();
    this.#watching = undefined;
  }

  /** Logs this device out when its session ends elsewhere, and says why. */
  async #watch() {
    this.#unwatch();
    const { signal } = (this.#watching = new AbortController());
    while (!signal.aborted) {
      const reason = await this.#reasonOfEnd(signal).catch(() => "unknown");
      if (signal.aborted) return;
      if (reason !== "unknown") {
        // Another device may be in use: it keeps the focus.
        this.#showLoggedOut({ focus: false });
        const expired = reason === "expired";
        return this.#say(expired ? "Your session has expired." : `Your session was ended elsewhere: ${reason}.`, true);
      }
      // An outage is no logout: the token is kept.
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }

  /** Reads the stream to its end. `EventSource` could not send the token in a header. */
  async #reasonOfEnd(signal) {
    const headers = { Authorization: `Bearer ${this.token}` };
    const response = await fetch(`${this.path}/session/events`, { headers, signal });
    if (response.status === 401) return "its token is not valid any more";
    const end = /^event: end\ndata: (.*)$/m.exec(await response.text());
    return end?.[1] ?? "unknown";
  }

  /** Runs an action that ends the session of this device. */
  async #unwatched(action) {
    this.#unwatch();
    try {
      return await action();
    } finally {
      if (this.token) this.#watch();
    }
  }

  #entry(entry) {
    const time = (seconds) => (seconds === null ? "–" : new Date(seconds * 1000).toLocaleString());
    const name = element("code", "", `${entry.id.slice(0, 12)}…`);
    name.title = entry.id;
    const times = `Created ${time(entry.created)}, expires ${time(entry.expires)}`;
    const what = element("div", "", name, element("p", "note", times));
    return element("li", "", what, entry.current ? element("span", "current", "this one") : this.#endButton(entry.id));
  }

  #endButton(id) {
    const button = element("button", "", "End");
    button.setAttribute("aria-label", `End session ${id.slice(0, 12)}`);
    button.addEventListener("click", () => this.#run(async () => {
      await this.#call("destroy", { id });
      await this.list();
      return "That session has ended.";
    }));
    return button;
  }

  // What the forms and the buttons do: `data-form` and `data-action` name a method.

  async login({ username, password, path }, form) {
    this.path = path;
    this.token = (await this.#call("create", { username, password })).token;
    form.reset();
    await this.#showAll({ focus: true });
    return `Welcome, ${username}.`;
  }

  async update({ field, value }, form) {
    // Not `{[field]: …}` on a plain object: "__proto__" is a field like any other.
    const params = Object.defineProperty({}, field, { value: parse(value), enumerable: true });
    this.#showData((await this.#call("update", params)).session);
    form.reset();
    return "Updated: merged with what others wrote.";
  }

  async reload() {
    this.#showData((await this.#call("reload")).session);
    return "Reloaded.";
  }

  async touch() {
    this.#showData((await this.#call("touch")).session);
    await this.list();
    return "Touched: the time to live starts anew.";
  }

  rotate() {
    return this.#unwatched(async () => {
      this.token = (await this.#call("rotate")).token;
      await this.#showAll({ focus: false });
      return "Rotated: the old token is dead.";
    });
  }

  async list() {
    const { sessions } = await this.#call("list");
    this.part("sessions").replaceChildren(...sessions.map((entry) => this.#entry(entry)));
  }

  destroy() {
    return this.#unwatched(async () => {
      await this.#call("destroy");
      this.#showLoggedOut({ focus: true });
      return "Logged out.";
    });
  }

  async "destroy-others"() {
    const { destroyed } = await this.#call("destroy-others");
    await this.list();
    return `Other sessions that ended: ${destroyed}.`;
  }

  ask() { this.root.querySelector("dialog").showModal(); }

  cancel() { this.root.querySelector("dialog").close(); }

  "destroy-all"() {
    return this.#unwatched(async () => {
      const { destroyed } = await this.#call("destroy-all");
      this.#showLoggedOut({ focus: true });
      return `Sessions that ended: ${destroyed}.`;
    });
  }
}

new Device(1);

// As in page.css, which hides the second device when the window becomes narrow again.
const wide = matchMedia("(min-width: 90rem)");
const addSecond = () => {
  if (!wide.matches) return;
  wide.removeEventListener("change", addSecond);
  new Device(2);
};
wide.addEventListener("change", addSecond);
addSecond();
