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
    const list = "os_compute_api:os-simple-tenant-usage:list"
    const policies = {
      // Nova's own defaults let only admins read usage, and only those who sign in to a project, or are admins
      nova: `"${list}": "rule:context_is_admin or role:usage-reader or role:nova-reader"\n"context_is_admin": "role:admin or role:reader"\n`,
      // as Keystone's own defaults are, and one role more
      keystone: `"identity:list_projects": "rule:admin_required or (role:reader and domain_id:%(target.domain_id)s) or role:usage-reader"\n`,
    }
    cloud = await startOpenStack(script.value, { keep: "domains", policies })
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

let users = 0

async function haveRole(name: string): Promise<void> {
  const { roles } = (await admin.call("GET", `/roles?name=${name}`)) as { roles: unknown[] }
  if (roles.length === 0) await admin.call("POST", "/roles", { role: { name } })
}

/** Variables of a new user with a role on what the path names, and nothing else. */
async function userWith(t: TestContext, role: string, path: string): Promise<Readonly<Record<string, string>>> {
  const domainId = seed.domains.elixir ?? ""
  const name = `${role}-${process.pid}-${(users += 1)}`
  const id = await admin.user(name, "pw", domainId)
  t.after(() => admin.call("DELETE", `/users/${id}`))
  await admin.grant(`${path}/users/${id}/roles`, role)
  return {
    ...{ OS_AUTH_URL: cloud.authUrl, OS_USERNAME: name, OS_PASSWORD: "pw", OS_USER_DOMAIN_ID: domainId },
    OS_COMPUTE_ENDPOINT_OVERRIDE: cloud.novaUrl,
  }
}

const elixir = (): string => seed.domains.elixir ?? ""
const domainReader = async (t: TestContext) => ({
  ...(await userWith(t, "reader", `/domains/${elixir()}`)),
  OS_DOMAIN_ID: elixir(),
})

real("a reader of a domain exports that domain, by its id and by its name", async (t) => {
  const env = await domainReader(t)
  for (const argv of [
    ["--domain-id", elixir()],
    ["--domain", "elixir"],
  ]) {
    const scraped = await (await startRealExporter(t, env, [...START, ...argv])).first()
    const wanted = { start: "2025-01-01T00:00:00Z", end: scraped.end, weights: false, domain: "elixir" }
    agree(scraped, expectedUsage(seed, wanted))
  }
})

real("who may list projects but not domains exports a domain by its id", async (t) => {
  await haveRole("usage-reader")
  const env = { ...(await userWith(t, "usage-reader", `/projects/${admin.projectId}`)), OS_PROJECT_ID: admin.projectId }
  const exporter = await startRealExporter(t, env, [...START, "--domain-id", elixir()])
  const scraped = await exporter.first()
  const wanted = { start: "2025-01-01T00:00:00Z", end: scraped.end, weights: false, domain: "elixir" }
  agree(scraped, expectedUsage(seed, wanted))
})

real("a reader of a domain who may read usage in a project exports the domain, signed in to both", async (t) => {
  await haveRole("nova-reader")
  const user = await userWith(t, "nova-reader", `/projects/${admin.projectId}`)
  const { users: found } = (await admin.call("GET", `/users?name=${user.OS_USERNAME}`)) as { users: { id: string }[] }
  await admin.grant(`/domains/${elixir()}/users/${found[0]?.id}/roles`, "reader")
  const env = { ...user, OS_PROJECT_ID: admin.projectId }
  for (const argv of [
    ["--domain-id", elixir()],
    ["--domain", "elixir"],
  ]) {
    const scraped = await (await startRealExporter(t, env, [...START, ...argv])).first()
    const wanted = { start: "2025-01-01T00:00:00Z", end: scraped.end, weights: false, domain: "elixir" }
    agree(scraped, expectedUsage(seed, wanted))
  }
})

real("a reader of a domain gets a message for another domain, and for all of them", async (t) => {
  const env = await domainReader(t)
  const cases = [
    [["--domain-id", "default"], /shows this user neither the domain default nor a project in it\. Check --domain-id/],
    [["--domain-id", "wrong"], new RegExp(`shows this user neither the domain wrong .*to elixir \\(${elixir()}\\)`)],
    [["--domain"], /\/domains refuses the user \(403\): the policy identity:list_domains.*: --domain-id/],
  ] as const
  for (const [argv, message] of cases) {
    const exporter = await startRealExporter(t, env, [...START, ...argv])
    const scraped = await exporter.until(
      "a failure",
      (now) => now.lines(/failures_total\{reason="forbidden"/).length > 0,
    )
    assert.deepEqual([scraped.up, scraped.usage.size], [0, 0])
    assert.match(exporter.log(), message)
  }
})

real("an admin gets a message for the id of a domain that does not exist, with those that do", async (t) => {
  const exporter = await startRealExporter(t, cloud.openrc, [...START, "--domain-id", "elixir"])
  await exporter.until("an update", (now) => now.value("fedstack_project_usage_cloud_up") === 1)
  assert.match(
    exporter.log(),
    new RegExp(`what="domain elixir" reason="there is no such domain; there is .*elixir \\(${seed.domains.elixir}\\)`),
  )
  assert.equal((await exporter.scrape()).up, 0)
})
