import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { test } from "node:test"
import { drawPage, isPage } from "./screenshot.ts"
import { findChromium } from "./testing/browser.ts"
import { need } from "./testing/component.ts"
import { temporaryFolder } from "./testing/folder.ts"

test("Chromium draws the portal's page in light and dark", { timeout: 60_000 }, async (t) => {
  const chromium = need(t, findChromium())
  if (chromium === undefined) return
  const [light, dark, ...more] = await Promise.all(
    (await drawPage(chromium, temporaryFolder(t).path)).map((file) => readFile(file)),
  )
  assert.deepEqual(more, [])
  if (light === undefined || dark === undefined) throw new Error("two pictures are two")
  assert.ok(isPage(light) && isPage(dark))
  assert.ok(!light.equals(dark))
})
