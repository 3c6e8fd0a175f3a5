// Uses the admin pages of sessiond as an operator does; see scripts/browser-test.
// Arguments: the address of the service, a directory for profiles, a directory for screenshots.
// Operators log in with MASTER_KEY.

import assert from "node:assert/strict";
import { violations, device, fits, isLabelled, press, run, shot, url } from "./browser.mjs";

const HOSTILE = '<script>alert(1)</script> "jo" 🦀';

const shown = (page, role, text) => page.getByRole(role).filter({ hasText: text }).waitFor();
const heading = (page, name) => page.getByRole("heading", { name, exact: true }).waitFor();
const visit = (page, name) => page.getByRole("link", { name, exact: true }).click();

/** Opens the confirmation behind `summary` and confirms. */
async function confirm(page, summary, button) {
  await page.getByText(summary, { exact: true }).click();
  await press(page, button);
}

async function logIn(page, key) {
  await page.getByLabel("Master key").fill(key);
  await press(page, "Log in");
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

/** What earlier steps created. */
const created = {};

const steps = {
  async "rejects requests without a login and a wrong key"({ laptop }) {
    await laptop.goto(`${url}/admin/owners`);
    await heading(laptop, "Log in");
    laptop.expected = /status of 401/;
    await logIn(laptop, "not the master key of this service");
    await shown(laptop, "alert", "This is not a master key of the service.");
    delete laptop.expected;
    await shot(laptop, "admin-1-rejected.png");
    await isLabelled(laptop);
  },
  async "logs in and shows that there is no key"({ laptop, phone }) {
    for (const page of [laptop, phone]) {
      await page.goto(`${url}/admin`);
      await logIn(page, process.env.MASTER_KEY);
      await heading(page, "Buckets");
    }
    await laptop.getByText("No bucket has a key").waitFor();
    assert.equal(await laptop.evaluate(() => document.cookie), "", "no script sees the cookie");
    assert.ok(!laptop.url().includes(process.env.MASTER_KEY));
  },
  async "creates keys and shows each once"({ laptop }) {
    for (const bucket of ["blog", "shop"]) {
      await visit(laptop, "Buckets");
      await laptop.getByLabel("Bucket", { exact: true }).fill(bucket);
      await press(laptop, "Create key");
      await shown(laptop, "status", "The key has been created.");
      created[bucket] = await laptop.locator("output").textContent();
    }
    assert.match(created.shop, /^jrs_/);
    await shot(laptop, "admin-2-key.png");
    await visit(laptop, "Back to the buckets");
    await laptop.getByRole("rowheader", { name: "shop" }).waitFor();
    assert.equal(await laptop.getByText(created.shop).count(), 0);
  },
  async "rejects a bucket that has a key and an invalid name"({ laptop }) {
    await laptop.getByLabel("Bucket", { exact: true }).fill("shop");
    laptop.expected = /status of 409/;
    await press(laptop, "Create key");
    await shown(laptop, "alert", "The bucket “shop” already has a key.");
    delete laptop.expected;
    const field = laptop.getByLabel("Bucket", { exact: true });
    await field.fill("no good name");
    await press(laptop, "Create key");
    assert.ok(await field.evaluate((field) => field.validity.patternMismatch), "not even sent");
  },
  async "looks up a session of a client"({ laptop }) {
    const data = { user: HOSTILE, cart: [17, { n: 2 }], html: "<img src=x onerror=alert(1)>" };
    const headers = { "x-session-key": created.shop };
    const { status, body } = await send(laptop, "PUT", "/session/shop", { headers, data });
    assert.equal(status, 201);
    created.id = body.id;
    await visit(laptop, "Sessions");
    await laptop.getByLabel("Bucket").fill("shop");
    await laptop.getByLabel("Session id").fill(created.id);
    await press(laptop, "Look up");
    await heading(laptop, "Session");
    assert.deepEqual(JSON.parse(await laptop.locator("pre").textContent()), data);
    await shot(laptop, "admin-3-session.png");
    await fits(laptop);
    await isLabelled(laptop);
  },
  async "ends it"({ laptop }) {
    await confirm(laptop, "End session…", "End this session");
    await shown(laptop, "status", "The session has ended.");
    assert.ok(await isGone(laptop, `/session/shop/${created.id}`, created.shop));
    laptop.expected = /status of 404/;
    await laptop.getByLabel("Bucket").fill("shop");
    await laptop.getByLabel("Session id").fill(created.id);
    await press(laptop, "Look up");
    await shown(laptop, "alert", "There is no such session in this bucket.");
    delete laptop.expected;
  },
  async "deletes a key with the keyboard only"({ laptop }) {
    await visit(laptop, "Buckets");
    await laptop.getByText("Delete key…").nth(1).focus();
    await laptop.keyboard.press("Enter");
    await laptop.getByRole("button", { name: "Delete the key of shop" }).waitFor();
    await shot(laptop, "admin-4-buckets.png");
    await fits(laptop);
    await laptop.keyboard.press("Tab");
    await laptop.keyboard.press("Enter");
    await shown(laptop, "status", "The key of “shop” has been deleted");
    const headers = { "x-session-key": created.shop };
    assert.equal((await send(laptop, "PUT", "/session/shop", { headers, data: {} })).status, 401);
    assert.equal(await laptop.getByRole("rowheader").count(), 1);
  },
  async "lists an owner's sessions and ends one"({ laptop, phone }) {
    const owned = { session: { theme: "dark", note: HOSTILE }, userId: HOSTILE };
    created.tokens = [];
    for (let count = 0; count < 3; count++) {
      const call = await send(laptop, "POST", "/rpc/create", { data: { args: JSON.stringify(owned) } });
      assert.equal(call.status, 200);
      created.tokens.push(call.body.result.token);
    }
    for (const page of [laptop, phone]) {
      await visit(page, "Owners");
      await page.getByLabel("API").selectOption("rpc");
      await page.getByLabel("Owner", { exact: true }).fill(HOSTILE);
      await press(page, "List sessions");
      await heading(page, `Sessions of ${HOSTILE}`);
    }
    assert.equal(await laptop.getByRole("rowheader").count(), 3);
    await laptop.getByText("Data", { exact: true }).first().click();
    await laptop.getByText('"theme": "dark"').first().waitFor();
    await shot(laptop, "admin-5-owner.png");
    await shot(phone, "admin-6-phone-dark.png");
    for (const page of [laptop, phone]) {
      await fits(page);
      await isLabelled(page);
    }
    await laptop.getByRole("button", { name: /^End session / }).first().click();
    await shown(laptop, "status", "The session has ended.");
    assert.equal(await laptop.getByRole("rowheader").count(), 2);
    await laptop.reload();
    assert.equal(await laptop.getByRole("rowheader").count(), 2, "a reload does not submit again");
    assert.equal(await laptop.getByRole("status").count(), 0, "and the notice is shown once");
  },
  async "ends all of them"({ laptop }) {
    await confirm(laptop, "End all sessions…", "End 2 sessions");
    await shown(laptop, "status", "2 sessions ended.");
    for (const token of created.tokens) {
      const args = JSON.stringify({ token, sessionVersion: "v1", keys: "*" });
      const { body } = await send(laptop, "POST", "/rpc/get", { data: { args } });
      assert.equal(body.result, null);
    }
  },
  async "does the same for users"({ laptop, phone }) {
    const data = { username: "jo", password: "checked elsewhere" };
    const { body } = await send(laptop, "POST", "/sessions", { data });
    await visit(phone, "Owners");
    await phone.getByLabel("API").selectOption("users");
    await phone.getByLabel("Owner", { exact: true }).fill("jo");
    await press(phone, "List sessions");
    await confirm(phone, "End all sessions…", "End 1 session");
    await shown(phone, "status", "1 session ended.");
    const headers = { authorization: `Bearer ${body.sessionId}` };
    assert.equal((await send(laptop, "GET", "/sessions", { headers })).status, 401);
  },
  async "logs out, on this device only"({ laptop, phone }) {
    await press(laptop, "Log out");
    await heading(laptop, "Log in");
    await laptop.goto(`${url}/admin`);
    await heading(laptop, "Log in");
    await shot(phone, "admin-7-phone-owners.png");
    await visit(phone, "Buckets");
    await heading(phone, "Buckets");
    await shot(phone, "admin-8-phone-buckets.png");
    await fits(phone);
  },
  async "runs no script, and this test would notice one"({ phone }) {
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
};

const devices = {
  laptop: await device("laptop", { colorScheme: "light" }, "/admin"),
  phone: await device("phone", { viewport: { width: 360, height: 740 }, colorScheme: "dark" }, "/admin"),
};
await run(steps, devices);
