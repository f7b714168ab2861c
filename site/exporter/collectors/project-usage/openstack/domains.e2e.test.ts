import assert from "node:assert/strict"
import { after, before, test, type TestContext } from "node:test"
import { need } from "../../../../../dev/testing/component.ts"
import {
  findOpenStack,
  type RunningOpenStack,
  type Seed,
  startOpenStack,
} from "../../../../../dev/testing/openstack.ts"
import { type Admin, adminOf } from "./keystone-admin.testing.ts"
import { agree, expectedUsage, startRealExporter } from "./real-exporter.testing.ts"

const script = findOpenStack()
let cloud: RunningOpenStack
let seed: Seed
let admin: Admin

before(
  async () => {
    if (!("value" in script)) return
    // Nova's own defaults let only admins read usage; Keystone's are as they are
    const policy = '"os_compute_api:os-simple-tenant-usage:list": "rule:context_is_admin or role:reader"\n'
    cloud = await startOpenStack(script.value, { keep: "domains", policies: { nova: policy } })
    seed = await cloud.seed()
    admin = await adminOf(cloud)
  },
  { timeout: 180_000 },
)
after(() => cloud?.close())

function real(name: string, body: (t: TestContext) => Promise<void>): void {
  test(name, { timeout: 90_000 }, async (t) => {
    if (need(t, script) !== undefined) await body(t)
  })
}

const START = ["--start", "2025-01-01"]

/** Variables of a user whose role `reader` is on a domain only, signed in to that. */
async function domainReader(t: TestContext): Promise<{ env: Readonly<Record<string, string>>; domainId: string }> {
  const domainId = seed.domains.elixir ?? ""
  const name = `domain-reader-${process.pid}`
  const id = await admin.user(name, "pw", domainId)
  t.after(() => admin.call("DELETE", `/users/${id}`))
  await admin.grant(`/domains/${domainId}/users/${id}/roles`, "reader")
  const env = {
    ...{ OS_AUTH_URL: cloud.authUrl, OS_USERNAME: name, OS_PASSWORD: "pw", OS_USER_DOMAIN_ID: domainId },
    ...{ OS_DOMAIN_ID: domainId, OS_COMPUTE_ENDPOINT_OVERRIDE: cloud.novaUrl },
  }
  return { env, domainId }
}

real("a reader of a domain exports that domain, by its id and by its name", async (t) => {
  const { env, domainId } = await domainReader(t)
  for (const argv of [
    ["--domain-id", domainId],
    ["--domain", "elixir"],
  ]) {
    const scraped = await (await startRealExporter(t, env, [...START, ...argv])).first()
    const wanted = { start: "2025-01-01T00:00:00Z", end: scraped.end, weights: false, domain: "elixir" }
    agree(scraped, expectedUsage(seed, wanted))
  }
})

real("a reader of a domain gets a message for another domain, and for all of them", async (t) => {
  const { env, domainId } = await domainReader(t)
  const cases = [
    [["--domain-id", "default"], /shows this user neither the domain default nor a project in it\. Check --domain-id/],
    [["--domain-id", "wrong"], new RegExp(`shows this user neither the domain wrong .*to elixir \\(${domainId}\\)`)],
    [["--domain"], /\/domains refuses the user \(403\): the policy identity:list_domains.*: --domain-id/],
  ] as const
  for (const [argv, message] of cases) {
    const exporter = await startRealExporter(t, env, [...START, ...argv])
    const scraped = await exporter.until(
      "a failure",
      ({ lines }) => lines(/failures_total\{reason="forbidden"/).length > 0,
    )
    assert.deepEqual([scraped.up, scraped.usage.size], [0, 0])
    assert.match(exporter.log(), message)
  }
})

real("a reader of a domain who signs in to a project learns that the domain has to be signed in to", async (t) => {
  const { env, domainId } = await domainReader(t)
  const project = Object.values(seed.projects).find(({ name }) => name === "bio-alpha")
  assert.ok(project)
  const name = env.OS_USERNAME ?? ""
  const { users } = (await admin.call("GET", `/users?name=${name}`)) as { users: { id: string }[] }
  await admin.grant(`/projects/${project.id}/users/${users[0]?.id}/roles`, "reader")
  const { OS_DOMAIN_ID: _, ...rest } = env
  const inProject = { ...rest, OS_PROJECT_ID: project.id }
  const exporter = await startRealExporter(t, inProject, [...START, "--domain-id", domainId])
  const scraped = await exporter.until(
    "a failure",
    ({ lines }) => lines(/failures_total\{reason="forbidden"/).length > 0,
  )
  assert.deepEqual([scraped.up, scraped.usage.size], [0, 0])
  assert.match(
    exporter.log(),
    /identity:list_projects requires another role.*where that domain is signed in to: OS_DOMAIN_ID/,
  )
})

real("an admin gets a message for the id of a domain that does not exist, with those that do", async (t) => {
  const exporter = await startRealExporter(t, cloud.openrc, [...START, "--domain-id", "elixir"])
  await exporter.until("an update", ({ value }) => value("fedstack_project_usage_cloud_up") === 1)
  assert.match(
    exporter.log(),
    new RegExp(`what="domain elixir" reason="there is no such domain; there is .*elixir \\(${seed.domains.elixir}\\)`),
  )
  assert.equal((await exporter.scrape()).up, 0)
})
