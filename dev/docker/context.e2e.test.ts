import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { need } from "../testing/component.ts"
import { temporaryFolder } from "../testing/folder.ts"
import { findCompose, newName, PROGRAMS, run } from "./compose.ts"

const ROOT = join(import.meta.dirname, "..", "..")

const CODE = [
  "bin/fedstack",
  "cli.ts",
  "core/log/logger.ts",
  "package.json",
  "portal/federation/sites.ts",
  "portal/main.ts",
  "site/proxy/main.ts",
]
const TESTS = [
  "core/log/logger.test.ts",
  "core/http/testing.ts",
  "portal/federation/testing.ts",
  "site/proxy/rounds.testing.ts",
  "site/proxy/testdata/a.json",
]
/** What docs/docker.md and docs/portal.md let people put beside the code. */
const SECRETS = [
  ".env",
  "docker-compose.token.yml",
  "portal-token",
  "portal/ca.pem",
  "portal/prometheus/generated/tokens/site-a",
  "portal/prometheus/prometheus.yml",
  "portal/site-a.key",
  "portal/site-a.token",
  "portal/sites.yaml",
  "portal/sites.yaml.bak",
  "portal/secrets/site-b",
  "portal/tokens/site-a",
  "tls/server.key",
  "usage-openrc",
]

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
