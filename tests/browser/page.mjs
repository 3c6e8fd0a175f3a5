// Uses the page of the example app as a person would; see scripts/browser-test.
// Arguments: the address of the app, a directory for profiles, a directory for screenshots.

import assert from "node:assert/strict";
import { complaints, device, fits, isLabelled, press, run, shot, url } from "./browser.mjs";

const text = (page, selector) => page.locator(selector).textContent();
const json = async (page, selector) => JSON.parse(await text(page, selector));

async function says(page, pattern) {
  await page.getByRole("status").filter({ hasText: pattern }).waitFor();
}

async function logIn(page, user) {
  await page.getByLabel("User name").fill(user);
  await page.getByLabel("Password").fill("any");
  await press(page, "Log in");
  await says(page, `Welcome, ${user}.`);
}

async function update(page, field, value) {
  await page.getByLabel("Field").fill(field);
  await page.getByLabel("Value").fill(value);
  await press(page, "Update");
  await page.waitForFunction(() => document.querySelector("#update input").value === "");
  await says(page, "Updated");
}

const rows = (page) => page.locator("#sessions tr");

async function hasRows(page, count) {
  await page.waitForFunction(
    (count) => document.querySelectorAll("#sessions tr").length === count, count,
  );
}

async function isLoggedOut(page) {
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.getItem("token")), null);
  assert.ok(await page.locator("#logged-in").isHidden());
  assert.equal(await text(page, "#token"), "");
}

async function showsTokenAndSession(page, user) {
  assert.deepEqual(await json(page, "#token-header"), { typ: "JWT", alg: "HS256" });
  const claims = await json(page, "#token-claims");
  assert.equal(claims.jti, await text(page, "#id"));
  assert.equal((await text(page, "#token")).split(".").length, 3);
  assert.equal(await text(page, "#user"), user);
}

const steps = {
  async "logs in, and shows token and session"({ laptop }) {
    await shot(laptop, "1-login.png");
    await logIn(laptop, "Jö <b>");
    await showsTokenAndSession(laptop, "Jö <b>");
    await hasRows(laptop, 1);
  },
  async "updates, also with null and markup"({ laptop }) {
    await update(laptop, "theme", "dark");
    await update(laptop, "cart", '["apple", {"n": 2}]');
    await update(laptop, "old", "1");
    await update(laptop, "old", "null");
    await update(laptop, "__proto__", "<img src=x onerror=alert(1)>");
    const data = await text(laptop, "#data");
    const { theme, cart, old } = JSON.parse(data);
    assert.deepEqual({ theme, cart, old }, { theme: "dark", cart: ["apple", { n: 2 }], old: undefined });
    assert.match(data, /"__proto__": "<img/);
    await update(laptop, "__proto__", "null");
  },
  async "shows what the server refuses"({ laptop }) {
    laptop.expected = /status of 400/;
    await laptop.getByLabel("Field").fill("claims");
    await press(laptop, "Update");
    await says(laptop, /^400: .*reserved/);
    delete laptop.expected;
    await laptop.getByLabel("Field").fill("");
  },
  async "reloads, touches, and survives a reload of the page"({ laptop }) {
    await press(laptop, "Reload");
    await says(laptop, "Reloaded.");
    await press(laptop, "Touch");
    await says(laptop, "Touched");
    await laptop.reload();
    await laptop.locator("#logged-in").waitFor();
    assert.equal((await json(laptop, "#data")).theme, "dark");
  },
  async "rotates"({ laptop }) {
    const [token, id] = [await text(laptop, "#token"), await text(laptop, "#id")];
    await press(laptop, "Rotate");
    await says(laptop, "Rotated");
    assert.notEqual(await text(laptop, "#token"), token);
    assert.notEqual(await text(laptop, "#id"), id);
    await showsTokenAndSession(laptop, "Jö <b>");
    const headers = { "x-access-token": token };
    const dead = await laptop.request.get(`${url}/session/read`, { headers });
    assert.equal(dead.status(), 401);
  },
  async "lists the other devices and ends one"({ laptop, phone }) {
    await logIn(phone, "Jö <b>");
    await press(laptop, "Refresh");
    await hasRows(laptop, 2);
    assert.equal(await rows(laptop).filter({ hasText: "this one" }).count(), 1);
    await shot(laptop, "2-session.png");
    await fits(laptop);
    await fits(phone);
    await isLabelled(laptop);
    await shot(phone, "3-narrow-dark.png");
    await laptop.getByRole("button", { name: /^End session/ }).click();
    await hasRows(laptop, 1);
    phone.expected = /status of 401/;
    await press(phone, "Reload");
    await isLoggedOut(phone);
    await says(phone, /^401: /);
    delete phone.expected;
  },
  async "ends all others"({ laptop, phone }) {
    await logIn(phone, "Jö <b>");
    await press(laptop, "Log out everywhere else");
    await says(laptop, "Other sessions that ended: 1.");
    await hasRows(laptop, 1);
    phone.expected = /status of 401/;
    await press(phone, "Touch");
    await isLoggedOut(phone);
    delete phone.expected;
  },
  async "ends all, itself included"({ laptop, phone }) {
    await logIn(phone, "Jö <b>");
    await press(laptop, "Log out everywhere");
    await isLoggedOut(laptop);
    await says(laptop, "Sessions that ended: 2.");
    phone.expected = /status of 401/;
    await press(phone, "Rotate");
    await isLoggedOut(phone);
    delete phone.expected;
  },
  async "logs out"({ laptop }) {
    await logIn(laptop, "jo");
    await press(laptop, "Log out");
    await isLoggedOut(laptop);
    await says(laptop, "Logged out.");
    await fits(laptop);
  },
  async "runs no script but its own, and this test would notice"({ laptop }) {
    const before = complaints.length;
    await laptop.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "window.injected = true";
      document.body.append(script);
    });
    assert.equal(await laptop.evaluate(() => window.injected), undefined);
    const deadline = Date.now() + 5_000;
    while (complaints.length === before && Date.now() < deadline) await laptop.waitForTimeout(20);
    const noticed = complaints.splice(before);
    assert.ok(noticed.some((text) => text.includes("CSP: script-src-elem inline")), `${noticed}`);
  },
};

const devices = {
  laptop: await device("laptop", { colorScheme: "light" }),
  phone: await device("phone", { viewport: { width: 360, height: 740 }, colorScheme: "dark" }),
};
await run(steps, devices);
