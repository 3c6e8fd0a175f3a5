// Helpers that drive a page in a headless Chromium; see scripts/browser-test.
// Arguments: the URL of the app, a directory for profiles, a directory for screenshots.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.MODULES, "index.js"));
const { chromium } = require("playwright-core");
const axe = require.resolve("axe-core/axe.min.js");
export const [url, profiles, screenshots] = process.argv.slice(2);

/** Everything that no page may do: errors in the console, violations of the CSP, foreign requests. */
export const violations = [];

/** Starts a browser with a separate profile: another device of the same user. */
export async function device(name, options = {}, path = "/") {
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
    // Chromium logs each response of 4xx, with some delay. `expected` matches the intended ones.
    const text = `${message.text()} ${message.location().url}`;
    if (page.expected?.test(text)) return;
    violations.push(`${name}: ${text}`);
  });
  page.on("pageerror", (error) => violations.push(`${name}: ${error}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) {
      violations.push(`${name}: requests ${request.url()}`);
    }
  });
  await page.goto(url + path);
  return page;
}

/** Asserts that axe-core finds no fault: WCAG 2.2 A and AA, and its best practices. */
export async function isAccessible(page) {
  // A separate world, to which the CSP of the page does not apply.
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId } = await session.send("Page.createIsolatedWorld", {
    frameId: frameTree.frame.id, worldName: "axe",
  });
  const evaluate = async (expression) => {
    const answer = await session.send("Runtime.evaluate", {
      expression, contextId: executionContextId, awaitPromise: true, returnByValue: true,
    });
    assert.equal(answer.exceptionDetails, undefined, JSON.stringify(answer.exceptionDetails));
    return answer.result.value;
  };
  await evaluate(await readFile(axe, "utf8"));
  const { passes, violations } = await evaluate(`axe.run().then(({ passes, violations }) => ({
    passes: passes.length,
    violations: violations.map(({ id, help, nodes }) => [id, help, ...nodes.map((node) => node.html)]),
  }))`);
  await session.detach();
  assert.ok(passes > 5, `axe-core has checked only ${passes} rules`);
  assert.deepEqual(violations, [], page.url());
}

export const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

/** Asserts that the page and its scrollable boxes do not overflow horizontally. */
export async function fits(page) {
  const wide = await page.evaluate(() => {
    const boxes = [document.documentElement, ...document.querySelectorAll("pre, section, .card")];
    return Math.max(...boxes.map((box) => box.scrollWidth - box.clientWidth));
  });
  assert.ok(wide <= 0, `an element is ${wide} px too wide`);
}

/** Asserts that each control has a label for screen readers. */
export async function isLabelled(page) {
  const nameless = await page.evaluate(() => [...document.querySelectorAll("input:not([type=hidden]), select, button, pre")]
    .filter((each) => !(each.labels?.length || each.ariaLabel || each.textContent.trim()))
    .map((each) => each.outerHTML));
  assert.deepEqual(nameless, []);
}

export const shot = (page, name) => page.screenshot({ path: join(screenshots, name), fullPage: true });

/** Runs the steps in order. After a failure, takes a screenshot of every device. */
export async function run(steps, devices) {
  try {
    for (const [name, step] of Object.entries(steps)) {
      await step(devices);
      console.log(`ok: ${name}`);
    }
    assert.deepEqual(violations, []);
    console.log("ok: no error in the console, no violation of the CSP, no foreign request");
  } catch (error) {
    for (const [name, page] of Object.entries(devices)) await shot(page, `failed-${name}.png`);
    console.error(error, violations, `see ${screenshots}`);
    process.exitCode = 1;
  } finally {
    await Promise.all(Object.values(devices).map((page) => page.context().close()));
  }
}
