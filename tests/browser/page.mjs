// Uses the page of the example app as a person would; see scripts/browser-test.
// Arguments: the address of the app, a directory for profiles, a directory for screenshots.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";

const { chromium } = createRequire(import.meta.url)(process.env.PLAYWRIGHT);
const [url, profiles, screenshots] = process.argv.slice(2);

/** What no page may do: everything ends up here. */
const complaints = [];

/** A browser of its own: another device of the same user. */
async function device(name, options = {}) {
  const context = await chromium.launchPersistentContext(join(profiles, name), {
    executablePath: process.env.CHROMIUM,
    headless: true,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
    viewport: { width: 1100, height: 900 },
    ...options,
  });
  context.setDefaultTimeout(10_000);
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  const page = context.pages()[0] ?? await context.newPage();
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    // Chromium reports each answer of 401 by itself; those are expected where `expected` says so.
    if (page.expected?.test(message.text())) return;
    complaints.push(`${name}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`${name}: ${error}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) {
      complaints.push(`${name}: asks ${request.url()}`);
    }
  });
  await page.goto(url);
  return page;
}

const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
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

/** Nothing sticks out, of the page or of a box that could be scrolled. */
async function fits(page) {
  const wide = await page.evaluate(() => {
    const boxes = [document.documentElement, ...document.querySelectorAll(".scroll, pre, section")];
    return Math.max(...boxes.map((box) => box.scrollWidth - box.clientWidth));
  });
  assert.ok(wide <= 0, `something is ${wide} px too wide`);
}

/** Without a label for each control, and headings in order, a screen reader is lost. */
async function isLabelled(page) {
  const nameless = await page.evaluate(() => [...document.querySelectorAll("input, button, pre")]
    .filter((each) => !(each.labels?.length || each.ariaLabel || each.textContent.trim()))
    .map((each) => each.outerHTML));
  assert.deepEqual(nameless, []);
}

const shot = (page, name) => page.screenshot({ path: join(screenshots, name), fullPage: true });

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
try {
  for (const [name, step] of Object.entries(steps)) {
    await step(devices);
    console.log(`ok: ${name}`);
  }
  assert.deepEqual(complaints, []);
  console.log("ok: no error in the console, no violation of the policy, no foreign request");
} catch (error) {
  await shot(devices.laptop, "failed-laptop.png");
  await shot(devices.phone, "failed-phone.png");
  console.error(error, complaints, `see ${screenshots}`);
  process.exitCode = 1;
} finally {
  await Promise.all(Object.values(devices).map((page) => page.context().close()));
}
