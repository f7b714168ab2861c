import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { parse } from "yaml"

const ROOT = join(import.meta.dirname, "..", "..")
/** The compose files of one project each, and the service that builds. */
const projects = [
  { files: ["docker-compose.site.yml"], builder: "exporter" },
  { files: ["docker-compose.portal.yml", "dev/docker-compose.override.yml"], builder: "portal" },
]

interface Service {
  readonly image?: string
  readonly build?: string
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>
  readonly pull_policy?: string
}

for (const { files, builder } of projects) {
  // several builds of one tag at once end with containers of different images, which the next `up` replaces
  test(`one service of ${files.join(" and ")} builds the image, and the others wait for it and never pull it`, async () => {
    const texts = await Promise.all(files.map((file) => readFile(join(ROOT, file), "utf8")))
    const services = new Map<string, Service>()
    for (const text of texts) {
      const found = parse(text, { merge: true }) as { services: Record<string, Service> }
      for (const [name, service] of Object.entries(found.services))
        services.set(name, { ...services.get(name), ...service })
    }
    const users = [...services].filter(([, { image }]) => image === "fedstack")
    assert.ok(users.length > 1)
    assert.deepEqual(
      users.filter(([, { build }]) => build !== undefined).map(([name]) => name),
      [builder],
    )
    for (const [name, { depends_on = [], pull_policy }] of users.filter(([other]) => other !== builder)) {
      const before = Array.isArray(depends_on) ? depends_on : Object.keys(depends_on)
      assert.deepEqual([name, before, pull_policy], [name, [builder], "never"])
    }
  })
}
