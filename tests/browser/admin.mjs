// Uses the admin pages of sessiond as an operator does; see scripts/browser-test.
// Arguments: the address of the service, a directory for profiles, a directory for screenshots.
// Operators log in with MASTER_KEY.

import assert from "node:assert/strict";
import { violations, device, fits, isAccessible, isLabelled, press, run, shot, url } from "./browser.mjs";

const HOSTILE = '<script>alert(1)</script> "jo" 🦀';

const shown = (page, role, text) => page.getByRole(role).filter({ hasText: text }).waitFor();
const heading = (page, name) => page.getByRole("heading", { name, exact: true }).waitFor();
const visit = (page, name) => page.getByRole("link", { name, exact: true }).click();
const rows = (page) => page.getByRole("rowheader").count();

/** Asserts that the page fits its window, that each control has a label, and what axe-core checks. */
async function isSound(page, screenshot) {
  await shot(page, `admin-${screenshot}.png`);
  await fits(page);
  await isLabelled(page);
  await isAccessible(page);
}

/** Opens the first confirmation behind `summary` and confirms. */
async function confirm(page, summary, button) {
  await page.getByText(summary, { exact: true }).first().click();
  await page.getByRole("button", { name: button }).filter({ visible: true }).click();
}

async function logIn(page, key) {
  await page.getByLabel("Master key").fill(key);
  await press(page, "Log in");
}

async function find(page, session) {
  await visit(page, "Sessions");
  await page.getByLabel("Session id or token").fill(session);
  await press(page, "Find");
}

/** Sends a request to the service as a client does. */
async function send(page, method, path, { headers = {}, data } = {}) {
  const response = await page.request.fetch(url + path, {
    method, data, headers: { "content-type": "application/json", ...headers },
  });
  return { status: response.status(), body: await response.json() };
}

const isGone = async (page, path, key) =>
  (await send(page, "GET", path, { headers: { "x-session-key": key } })).status === 404;

const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());
const hasFocus = (page, name) =>
  page.waitForFunction((name) => document.activeElement.name === name, name);

/** What earlier steps created. */
const created = {};

const steps = {
  async "rejects requests without a login and a wrong key"({ laptop }) {
    await laptop.goto(`${url}/admin/owners`);
    await heading(laptop, "Log in");
    await hasFocus(laptop, "key");
    await logIn(laptop, "not the master key of this service");
    await shown(laptop, "alert", "This is not a master key of the service.");
    await isSound(laptop, "1-rejected");
  },
  async "logs in and shows the state of the service"({ laptop, phone, plain }) {
    for (const page of [laptop, phone, plain]) {
      await page.goto(`${url}/admin`);
      await logIn(page, process.env.MASTER_KEY);
      await heading(page, "Overview");
      await page.getByText("Memory (lost when the process ends)").waitFor();
    }
    assert.equal(await laptop.evaluate(() => document.cookie), "", "no script sees the cookie");
    assert.ok(!laptop.url().includes(process.env.MASTER_KEY));
    await isSound(laptop, "2-overview");
    await isSound(phone, "2-overview-phone");
  },
  async "creates keys, shows each once and copies it"({ laptop }) {
    await visit(laptop, "Buckets");
    await laptop.getByText("No bucket has a key").waitFor();
    for (const bucket of ["blog", "shop"]) {
      await visit(laptop, "Buckets");
      await hasFocus(laptop, "bucket");
      await laptop.getByLabel("Bucket", { exact: true }).fill(bucket);
      await press(laptop, "Create key");
      await shown(laptop, "status", "The key has been created.");
      created[bucket] = await laptop.locator("output").textContent();
    }
    assert.match(created.shop, /^jrs_/);
    await press(laptop, "Copy the API key");
    await shown(laptop, "status", "Copied the API key");
    assert.equal(await clipboard(laptop), created.shop);
    await isSound(laptop, "3-key");
    await visit(laptop, "Back to the buckets");
    await laptop.getByRole("rowheader", { name: "shop" }).waitFor();
    assert.equal(await laptop.getByText(created.shop).count(), 0);
  },
  async "rejects a bucket that has a key and an invalid name"({ laptop }) {
    await laptop.getByLabel("Bucket", { exact: true }).fill("shop");
    await press(laptop, "Create key");
    await shown(laptop, "alert", "The bucket “shop” already has a key.");
    const field = laptop.getByLabel("Bucket", { exact: true });
    await field.fill("no good name");
    await press(laptop, "Create key");
    assert.ok(await field.evaluate((field) => field.validity.patternMismatch), "not even sent");
  },
  async "finds a session of a bucket by its id"({ laptop }) {
    const data = { user: HOSTILE, cart: [17, { n: 2 }], html: "<img src=x onerror=alert(1)>" };
    const headers = { "x-session-key": created.shop };
    const { status, body } = await send(laptop, "PUT", "/session/shop", { headers, data });
    assert.equal(status, 201);
    created.id = body.id;
    await find(laptop, created.id);
    await heading(laptop, "Session");
    assert.equal(laptop.url(), `${url}/admin/sessions`);
    assert.deepEqual(JSON.parse(await laptop.locator("pre").textContent()), data);
    await isSound(laptop, "4-session");
    await press(laptop, "Copy the session id");
    await shown(laptop, "status", "Copied the session id");
    assert.equal(await clipboard(laptop), created.id);
  },
  async "ends it"({ laptop }) {
    await confirm(laptop, "End session…", "End this session");
    await shown(laptop, "status", "The session has ended.");
    assert.ok(await isGone(laptop, `/session/shop/${created.id}`, created.shop));
    await find(laptop, created.id);
    await shown(laptop, "alert", "There is no such session");
    await isSound(laptop, "5-none");
  },
  async "deletes a key with the keyboard only"({ laptop }) {
    await visit(laptop, "Buckets");
    await laptop.getByText("Delete key…").nth(1).focus();
    await laptop.keyboard.press("Enter");
    await laptop.getByRole("button", { name: "Delete the key of shop" }).waitFor();
    await isSound(laptop, "6-buckets");
    await laptop.keyboard.press("Tab");
    await laptop.keyboard.press("Enter");
    await shown(laptop, "status", "The key of “shop” has been deleted");
    const headers = { "x-session-key": created.shop };
    assert.equal((await send(laptop, "PUT", "/session/shop", { headers, data: {} })).status, 401);
    assert.equal(await rows(laptop), 1);
  },
  async "lists an owner's sessions, and another operator opens the address"({ laptop, phone }) {
    const owned = { session: { theme: "dark", note: HOSTILE }, userId: HOSTILE };
    created.tokens = [];
    for (let count = 0; count < 3; count++) {
      const call = await send(laptop, "POST", "/rpc/create", { data: { args: JSON.stringify(owned) } });
      assert.equal(call.status, 200);
      created.tokens.push(call.body.result.token);
    }
    await visit(laptop, "Owners");
    await hasFocus(laptop, "owner");
    await laptop.getByLabel("API").selectOption("rpc");
    await laptop.getByLabel("Owner", { exact: true }).fill(HOSTILE);
    await press(laptop, "List sessions");
    await phone.goto(laptop.url());
    for (const page of [laptop, phone]) await heading(page, `Sessions of ${HOSTILE}`);
    assert.equal(await rows(laptop), 3);
    await laptop.getByText("Data", { exact: true }).first().click();
    await laptop.getByText('"theme": "dark"').first().waitFor();
    await laptop.getByText("End…", { exact: true }).nth(1).click();
    await isSound(laptop, "7-owner");
    await isSound(phone, "7-owner-phone");
    await laptop.reload();
    await confirm(laptop, "End…", /^End this session /);
    await shown(laptop, "status", "The session has ended.");
    assert.equal(await rows(laptop), 2);
    await laptop.reload();
    assert.equal(await rows(laptop), 2, "a reload does not submit again");
    assert.equal(await laptop.getByText("The session has ended.").count(), 0, "and the notice is shown once");
  },
  async "finds a session by its token, which is not in the address"({ laptop, phone }) {
    const addresses = [];
    for (const token of created.tokens) {
      const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
      await find(laptop, token);
      await laptop.getByText(/^(Created|There is no such session.*)$/).waitFor();
      if (laptop.url() === `${url}/admin/sessions/rpc/${claims.jti}`) addresses.push(laptop.url());
    }
    assert.equal(addresses.length, 2, "one has ended");
    await laptop.goto(addresses[0]);
    await isSound(laptop, "8-owned");
    await phone.goto(laptop.url());
    await isSound(phone, "8-owned-phone");
    await visit(laptop, HOSTILE);
    await heading(laptop, `Sessions of ${HOSTILE}`);
  },
  async "ends all of them"({ laptop }) {
    await confirm(laptop, "End all sessions…", /^End \d sessions$/);
    await shown(laptop, "status", "2 sessions ended.");
    for (const token of created.tokens) {
      const args = JSON.stringify({ token, sessionVersion: "v1", keys: "*" });
      const { body } = await send(laptop, "POST", "/rpc/get", { data: { args } });
      assert.equal(body.result, null);
    }
  },
  async "does the same for users, without JavaScript"({ laptop, plain }) {
    const data = { username: "jo", password: "checked elsewhere" };
    const { body } = await send(laptop, "POST", "/sessions", { data });
    await find(plain, body.sessionId);
    await heading(plain, "Session");
    assert.ok(!plain.url().includes(body.sessionId));
    assert.equal(await plain.getByRole("button", { name: /^Copy/ }).count(), 0);
    await visit(plain, "jo");
    await heading(plain, "Sessions of jo");
    await confirm(plain, "End all sessions…", "End 1 session");
    await shown(plain, "status", "1 session ended.");
    await shot(plain, "admin-9-plain.png");
    const headers = { authorization: `Bearer ${body.sessionId}` };
    assert.equal((await send(laptop, "GET", "/sessions", { headers })).status, 401);
  },
  async "logs out, on this device only"({ laptop, phone }) {
    await press(laptop, "Log out");
    await heading(laptop, "Log in");
    await laptop.goto(`${url}/admin`);
    await heading(laptop, "Log in");
    for (const name of ["Owners", "Sessions", "Buckets"]) {
      await visit(phone, name);
      await heading(phone, name);
      await isSound(phone, `10-phone-${name}`);
    }
  },
  async "runs no other script, and this test would notice one"({ phone }) {
    const before = violations.length;
    await phone.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "window.injected = true";
      document.body.append(script);
    });
    assert.equal(await phone.evaluate(() => window.injected), undefined);
    const deadline = Date.now() + 5_000;
    while (violations.length === before && Date.now() < deadline) await phone.waitForTimeout(20);
    const noticed = violations.splice(before);
    assert.ok(noticed.some((text) => text.includes("CSP: script-src-elem inline")), `${noticed}`);
  },
  async "axe-core would notice a fault"({ phone }) {
    await phone.evaluate(() => document.querySelector("label").remove());
    await assert.rejects(isAccessible(phone), /label/);
  },
};

const phone = { viewport: { width: 390, height: 844 }, colorScheme: "dark" };
const devices = {
  laptop: await device("laptop", {
    viewport: { width: 1280, height: 900 }, colorScheme: "light",
    permissions: ["clipboard-read", "clipboard-write"],
  }, "/admin"),
  phone: await device("phone", phone, "/admin"),
  plain: await device("plain", { javaScriptEnabled: false }, "/admin"),
};
devices.laptop.expected = /status of (401.*login|409.*keys|404.*sessions)$/;
await run(steps, devices);
