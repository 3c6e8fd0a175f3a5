// Tests the page of the example app; see scripts/browser-test.
// Arguments: the URL of the app, a directory for profiles, a directory for screenshots.

import assert from "node:assert/strict";
import { violations, device, fits, isAccessible, isLabelled, press, run, shot, url } from "./browser.mjs";

const text = (page, selector) => page.locator(selector).textContent();
const json = async (page, selector) => JSON.parse(await text(page, selector));

async function showsStatus(page, pattern) {
  await page.getByRole("status").filter({ hasText: pattern }).waitFor();
}

const hasFocus = (page, part) =>
  page.waitForFunction((part) => document.activeElement.dataset.part === part, part);

async function logIn(page, user, signer = "") {
  await page.getByLabel("User name").fill(user);
  await page.getByLabel("Token signed with").selectOption(signer);
  await page.getByLabel("Password").fill("any");
  const watching = page.waitForResponse((response) => response.url().endsWith("/session/events"));
  await press(page, "Log in");
  await showsStatus(page, `Welcome, ${user}.`);
  await watching;
}

async function update(page, field, value) {
  await page.getByLabel("Field").fill(field);
  await page.getByLabel("Value").fill(value);
  await press(page, "Update");
  await page.waitForFunction(() => document.querySelector("[data-form=update] input").value === "");
  await showsStatus(page, "Updated");
}

const rows = (page) => page.locator("[data-part=sessions] li");

async function hasRows(page, count) {
  await page.waitForFunction(
    (count) => document.querySelectorAll("[data-part=sessions] li").length === count, count,
  );
}

async function isLoggedOut(page) {
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.getItem("token")), null);
  assert.ok(await page.locator(".logged-in").isHidden());
  assert.equal(await text(page, '[data-part="token"]'), "");
}

/** Asserts that the page learns of the end by itself, within a second. */
async function endsAtOnce(page, reason) {
  const ended = page.getByRole("status").filter({ hasText: `Your session was ended elsewhere: ${reason}.` });
  await ended.waitFor({ timeout: 1_000 });
  await isLoggedOut(page);
}

async function showsTokenAndSession(page, user) {
  assert.deepEqual(await json(page, '[data-part="token-header"]'), { typ: "JWT", alg: "HS256" });
  const claims = await json(page, '[data-part="token-claims"]');
  assert.equal(claims.jti, await text(page, '[data-part="id"]'));
  assert.equal((await text(page, '[data-part="token"]')).split(".").length, 3);
  assert.equal(await text(page, '[data-part="user"]'), user);
}

const steps = {
  async "login shows token and session"({ laptop }) {
    await shot(laptop, "1-login.png");
    await isAccessible(laptop);
    await logIn(laptop, "Jö <b>");
    await hasFocus(laptop, "session-title");
    await showsTokenAndSession(laptop, "Jö <b>");
    await hasRows(laptop, 1);
  },
  async "update accepts null and markup"({ laptop }) {
    await update(laptop, "theme", "dark");
    await update(laptop, "cart", '["apple", {"n": 2}]');
    await update(laptop, "old", "1");
    await update(laptop, "old", "null");
    await update(laptop, "__proto__", "<img src=x onerror=alert(1)>");
    const data = await text(laptop, '[data-part="data"]');
    const { theme, cart, old } = JSON.parse(data);
    assert.deepEqual({ theme, cart, old }, { theme: "dark", cart: ["apple", { n: 2 }], old: undefined });
    assert.match(data, /"__proto__": "<img/);
    await update(laptop, "__proto__", "null");
  },
  async "errors of the server are shown"({ laptop }) {
    laptop.expected = /status of 400/;
    await laptop.getByLabel("Field").fill("claims");
    await press(laptop, "Update");
    await showsStatus(laptop, /^400: .*reserved/);
    delete laptop.expected;
    await laptop.getByLabel("Field").fill("");
  },
  async "the session survives a reload of the page"({ laptop }) {
    await press(laptop, "Reload");
    await showsStatus(laptop, "Reloaded.");
    await press(laptop, "Touch");
    await showsStatus(laptop, "Touched");
    await laptop.reload();
    await laptop.locator(".logged-in").waitFor();
    assert.equal((await json(laptop, '[data-part="data"]')).theme, "dark");
  },
  async "rotate replaces the token"({ laptop }) {
    const [token, id] = [await text(laptop, '[data-part="token"]'), await text(laptop, '[data-part="id"]')];
    await press(laptop, "Rotate");
    await showsStatus(laptop, "Rotated");
    assert.notEqual(await text(laptop, '[data-part="token"]'), token);
    assert.notEqual(await text(laptop, '[data-part="id"]'), id);
    await showsTokenAndSession(laptop, "Jö <b>");
    const headers = { "x-access-token": token };
    const rejected = await laptop.request.get(`${url}/session/read`, { headers });
    assert.equal(rejected.status(), 401);
  },
  async "another device is listed and ended"({ laptop, phone }) {
    await logIn(phone, "Jö <b>");
    await press(laptop, "Refresh");
    await hasRows(laptop, 2);
    assert.equal(await rows(laptop).filter({ hasText: "this one" }).count(), 1);
    await shot(laptop, "2-session.png");
    await isAccessible(laptop);
    await isAccessible(phone);
    await fits(laptop);
    await fits(phone);
    await isLabelled(laptop);
    await shot(phone, "3-narrow-dark.png");
    await laptop.getByRole("button", { name: /^End session/ }).click();
    await endsAtOnce(phone, "destroyed");
    await hasRows(laptop, 1);
  },
  async "all other sessions are ended"({ laptop, phone }) {
    await logIn(phone, "Jö <b>");
    await press(laptop, "Log out everywhere else");
    await endsAtOnce(phone, "logged out everywhere");
    await showsStatus(laptop, "Other sessions that ended: 1.");
    await hasRows(laptop, 1);
  },
  async "log out everywhere asks first"({ laptop }) {
    await press(laptop, "Log out everywhere…");
    await shot(laptop, "5-ask.png");
    await isAccessible(laptop);
    await press(laptop, "Cancel");
    assert.ok(await laptop.locator(".logged-in").isVisible());
  },
  async "all sessions are ended, also that of another tab"({ laptop, phone }) {
    await logIn(phone, "Jö <b>");
    const tab = await laptop.context().newPage();
    await tab.goto(url);
    await logIn(tab, "Jö <b>");
    await press(laptop, "Log out everywhere…");
    await press(laptop, "End all sessions");
    await endsAtOnce(tab, "logged out everywhere");
    await endsAtOnce(phone, "logged out everywhere");
    await isLoggedOut(laptop);
    await showsStatus(laptop, "Sessions that ended: 3.");
    await shot(tab, "4-ended.png");
    await tab.close();
  },
  async "a token that was rejected is dropped"({ laptop, phone }) {
    await logIn(phone, "jo");
    // The stream was opened with the old token: only the next call finds out.
    await phone.evaluate(() => sessionStorage.setItem("token", "x.y.z"));
    phone.expected = /status of 401/;
    await press(phone, "Touch");
    await isLoggedOut(phone);
    await showsStatus(phone, "This session is not valid any more");
    delete phone.expected;
  },
  async "logout ends the session"({ laptop }) {
    await logIn(laptop, "jo");
    await press(laptop, "Log out");
    await isLoggedOut(laptop);
    await showsStatus(laptop, "Logged out.");
    await hasFocus(laptop, "login-title");
    await fits(laptop);
  },
  async "each kind of key signs tokens"({ laptop }) {
    for (const algorithm of ["RS256", "ES256", "EdDSA"]) {
      await logIn(laptop, "jo", `/${algorithm}`);
      const header = await json(laptop, '[data-part="token-header"]');
      assert.equal(header.alg, algorithm);
      await press(laptop, "Rotate");
      await showsStatus(laptop, "Rotated");
      await laptop.reload();
      await laptop.locator(".logged-in").waitFor();
      await press(laptop, "Log out");
      await isLoggedOut(laptop);
    }
  },
  async "two devices on a wide screen show what happens on the other"({ laptop }) {
    await laptop.setViewportSize({ width: 1920, height: 1080 });
    const [first, second] = [1, 2].map((number) => laptop.getByRole("region", { name: `Device ${number}` }));
    for (const side of [first, second]) {
      await side.getByLabel("User name").fill("sam");
      await side.getByLabel("Password").fill("any");
      await side.getByRole("button", { name: "Log in" }).click();
      await side.locator(".logged-in").waitFor();
    }
    await first.getByRole("button", { name: "Refresh" }).click();
    await first.getByRole("button", { name: /^End session/ }).waitFor();
    await shot(laptop, "6-two.png");
    await fits(laptop);
    await isAccessible(laptop);
    await first.getByRole("button", { name: /^End session/ }).click();
    await second.getByText("Your session was ended elsewhere: destroyed.").waitFor();
    await first.getByText("That session has ended.").waitFor();
    assert.ok(await first.locator(".logged-in").isVisible(), "the other device stays logged in");
    const inFirst = await first.evaluate((first) => document.activeElement === document.body || first.contains(document.activeElement));
    assert.ok(inFirst, "the focus stays where it is used");
    await shot(laptop, "7-ended.png");
    await laptop.setViewportSize({ width: 1280, height: 900 });
    await second.waitFor({ state: "hidden" });
    await shot(laptop, "8-one.png");
    await fits(laptop);
    await first.getByRole("button", { name: "Log out", exact: true }).click();
    // A page that is loaded before the response would still use the token.
    await first.locator(".logged-out").waitFor();
    await laptop.reload();
    await isLoggedOut(laptop);
  },
  async "injected scripts do not run"({ laptop }) {
    const before = violations.length;
    await laptop.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "window.injected = true";
      document.body.append(script);
    });
    assert.equal(await laptop.evaluate(() => window.injected), undefined);
    const deadline = Date.now() + 5_000;
    while (violations.length === before && Date.now() < deadline) await laptop.waitForTimeout(20);
    const reported = violations.splice(before);
    assert.ok(reported.some((text) => text.includes("CSP: script-src-elem inline")), `${reported}`);
  },
};

const devices = {
  laptop: await device("laptop", { colorScheme: "light" }),
  phone: await device("phone", { viewport: { width: 390, height: 844 }, colorScheme: "dark" }),
};
await run(steps, devices);
