import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { test } from "node:test"
import { promisify } from "node:util"
import { need } from "../testing/component.ts"
import { temporaryFolder } from "../testing/folder.ts"
import { sources } from "./plan.ts"

const ROOT = join(import.meta.dirname, "..", "..")
const INSTALLED = "/opt/fedstack"
const execute = promisify(execFile)
const units = sources(ROOT, "**/*.service")

for (const unit of units) {
  test(`systemd accepts ${unit}, and finds it well confined`, async (t) => {
    const found = await execute("systemd-analyze", ["--version"]).then(
      () => ({ value: true }),
      () => ({ missing: "no systemd-analyze" }),
    )
    if (need(t, found) === undefined) return
    // as if this checkout were what is installed
    const text = (await readFile(join(ROOT, unit), "utf8")).replaceAll(`${INSTALLED}/bin`, `${ROOT}/bin`)
    const file = await temporaryFolder(t).write(basename(unit), text)
    const { stdout, stderr } = await execute("systemd-analyze", ["verify", file])
    assert.deepEqual([stdout, stderr], ["", ""])
    // exposure in tenths: a service without any confinement has 96
    await execute("systemd-analyze", ["security", "--offline=true", "--threshold=20", file])
  })

  test(`${unit} starts a command with flags that it has, and names a page that exists`, async () => {
    const text = await readFile(join(ROOT, unit), "utf8")
    const [, line = ""] = /^ExecStart=\/opt\/fedstack\/bin\/fedstack (.*)$/m.exec(text) ?? []
    const words = line.split(" ")
    const { stdout } = await execute(join(ROOT, "bin/fedstack"), [...words, "--help"])
    const flags = words.filter((word) => word.startsWith("--")).map((word) => word.split("=", 1)[0] ?? "")
    for (const flag of flags) assert.ok(stdout.includes(`  ${flag} <`) || stdout.includes(`, ${flag} <`), flag)
    const [, page = ""] = /^Documentation=file:\/\/\/opt\/fedstack\/(.*)$/m.exec(text) ?? []
    assert.match(await readFile(join(ROOT, page), "utf8"), /^# /)
  })
}

test("there are units for all that a site and a portal run without containers", () => {
  assert.deepEqual(units, [
    "portal/systemd/fedstack-portal.service",
    "site/systemd/fedstack-project-usage.service",
    "site/systemd/fedstack-proxy.service",
  ])
})
