// Opens the API documentation of sessiond in a browser and tries a call; see scripts/browser-test.
// Arguments: the URL of the service, a directory for profiles, a directory for screenshots.

import assert from "node:assert/strict";
import { device, run, shot } from "./browser.mjs";

const steps = {
  async "shows every operation"({ laptop }) {
    await laptop.getByRole("heading", { name: /sessiond/ }).waitFor();
    for (const path of ["/session/{bucket}/{id}", "/api-key/{bucket}", "/rpc/{method}", "/sessions"]) {
      await laptop.locator(`[data-path="${path}"]`).first().waitFor();
    }
    await shot(laptop, "docs.png");
  },
  async "tries a call"({ laptop }) {
    const health = laptop.locator("#operations-operators-healthz");
    await health.getByRole("button").first().click();
    await health.getByRole("button", { name: "Try it out" }).click();
    await health.getByRole("button", { name: "Execute" }).click();
    await health.locator(".live-responses-table .response-col_status", { hasText: "200" }).first().waitFor();
    const body = await health.locator(".live-responses-table").textContent();
    assert.match(body, /"status":\s*"ok"/);
  },
};

await run(steps, { laptop: await device("docs", {}, "/docs/") });
