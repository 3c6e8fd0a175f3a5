// Opens the API documentation of sessiond in a browser and tries a call; see scripts/browser-test.
// Arguments: the URL of the service, a directory for profiles, a directory for screenshots.

import assert from "node:assert/strict";
import { device, run, shot } from "./browser.mjs";

const steps = {
  async "shows every operation"({ laptop }) {
    await laptop.getByRole("heading", { name: /sessiond/ }).waitFor();
    for (const path of ["/session/{bucket}/{id}", "/api-key/{bucket}", "/rpc/getActiveSessions", "/sessions"]) {
      await laptop.locator(`[data-path="${path}"]`).first().waitFor();
    }
    await laptop.getByRole("heading", { name: "Buckets API" }).waitFor();
    await shot(laptop, "docs.png");
  },
  async "asks for each kind of key once"({ laptop }) {
    await laptop.getByRole("button", { name: "Authorize" }).first().click();
    const kinds = laptop.locator(".auth-container h4 code");
    await kinds.first().waitFor();
    const names = ["bucket_key", "master_key", "rpc_secret", "user_session", "users_secret"];
    assert.deepEqual(await kinds.allTextContents(), names);
    await shot(laptop, "docs-authorize.png");
    await laptop.getByRole("button", { name: "Close" }).last().click();
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
