import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { need } from "../testing/component.ts"
import { temporaryFolder } from "../testing/folder.ts"
import { findCompose, newName, PROGRAMS, run } from "./compose.ts"
import { KEPT } from "./kept.ts"

const ROOT = join(import.meta.dirname, "..", "..")

const CODE = [
  "bin/fedstack",
  "cli.ts",
  "commands.ts",
  "core/log/logger.ts",
  "package.json",
  "portal/diagnosis/cause.ts",
  "portal/doctor/main.ts",
  "portal/federation/sites.ts",
  "portal/main.ts",
  "portal/status/overview.ts",
  "portal/web/client/page.ts",
  "portal/web/page.css",
  "site/proxy/main.ts",
]
const TESTS = [
  "core/log/logger.test.ts",
  "core/http/testing.ts",
  "portal/federation/testing.ts",
  "portal/web/page.e2e.test.ts",
  "portal/web/testing.ts",
  "site/proxy/rounds.testing.ts",
  "site/proxy/testdata/a.json",
]
/** The base configuration may be an operator's own. */
const SECRETS = [...KEPT, "portal/prometheus/prometheus.yml"]

for (const name of Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[]) {
  void test(`${name} sends the engine code, and neither tests nor secrets that stand beside it`, async (context) => {
    const program = need(context, await findCompose(name))
    if (program === undefined) return
    const folder = temporaryFolder(context)
    const image = newName()
    for (const file of [...CODE, ...TESTS, ...SECRETS]) await folder.write(file, "A=1\n")
    await folder.write(".dockerignore", await readFile(join(ROOT, ".dockerignore"), "utf8"))
    await folder.write("Dockerfile", "FROM scratch\nCOPY . /context\n")
    const file = await folder.write("compose.yml", `services: {all: {image: ${image}, build: .}}\n`)
    const build = await run([...program, "-p", image, "-f", file, "build"])
    assert.equal(build.code, 0, build.output)
    const container = await run(["docker", "create", image, "none"])
    context.after(async () => {
      await run(["docker", "rm", container.output.trim()])
      await run(["docker", "rmi", image])
    })
    const { output } = await run(["sh", "-c", `docker cp ${container.output.trim()}:/context - | tar t`])
    const sent = output.split("\n").filter((path) => path !== "" && !path.endsWith("/"))
    assert.deepEqual(sent.map((path) => path.replace("context/", "")).toSorted(), CODE)
  })
}
