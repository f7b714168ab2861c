import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { checkSites } from "../../../portal/federation/check.ts"
import { temporaryFolder } from "../folder.ts"
import { FAULTS, VARIANTS } from "./index.ts"
import { startFaultySites } from "./stack.ts"

for (const [what, faults] of Object.entries({ FAULTS, VARIANTS })) {
  test(`every entry of ${what} starts, is a site that sites.yaml accepts, and closes`, async (t) => {
    const folder = temporaryFolder(t)
    const here = Object.fromEntries(Object.entries(faults).filter(([, fault]) => fault.needsNamespace !== true))
    const started = await startFaultySites(here)
    t.after(() => started.close())
    for (const [name, text] of Object.entries(started.files)) await folder.write(name, text)
    const lines: string[] = []
    await checkSites(
      join(folder.path, "sites.yaml"),
      {
        signal: t.signal,
        print: (text) => lines.push(text),
        env: {},
      },
      false,
    )
    assert.equal(lines.join("").match(/^\S+$/gm)?.length, Object.keys(here).length)
  })
}
