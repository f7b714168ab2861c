import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { statusReason } from "#core/http/status.ts"
import { project, server, values } from "../accounts/testing.ts"
import { startTestExporter } from "../testing.ts"
import { ServiceError } from "./errors.ts"
import { fakeCloud, type FakeCloud, type FakeState, refused } from "./fake-cloud.testing.ts"

const DOMAINS = [
  { id: "d", name: "elixir" },
  { id: "other", name: "Default" },
]
const STATE = {
  domains: DOMAINS,
  projects: [project("p"), project("q", "q", "other")],
  servers: [server("a", "p"), server("b", "q")],
  ownDomains: DOMAINS.slice(0, 1),
}

/** A cloud whose user may list the projects of one domain, and may not list domains. */
function readerOf(domain: string, state: Partial<FakeState> = {}, sees: readonly string[] = [domain]): FakeCloud {
  const api = fakeCloud({ ...STATE, ...state })
  api.intercept = ({ path, query }) => {
    if (path === "/domains" || (path === "/projects" && query.domain_id === undefined)) throw refused(403)
    const [, id] = /^\/domains\/(.+)$/.exec(path) ?? []
    if (id !== undefined && !sees.includes(id)) throw refused(403)
    // Keystone leaves out what the user may not see
    return path === "/projects" && query.domain_id !== domain ? { projects: [], links: { next: null } } : undefined
  }
  return api
}

async function exported(t: TestContext, api: FakeCloud, ...argv: readonly string[]) {
  const exporter = await startTestExporter(t, ["--start", "2026-03-01", ...argv], [api])
  const usage = await values(exporter)
  const label = /^project_vcpu_usage\{.*?domain_name="(.*?)"/m.exec(await exporter.scrape())?.[1]
  const up = await exporter.value("fedstack_exporter_collector_up")
  return { usage, label, up, log: exporter.log() }
}
const paths = (api: FakeCloud) =>
  api.requests.filter(({ path }) => /domains|projects/.test(path)).map(({ path, query }) => [path, { ...query }])

test("reads one domain by its id with rights on that domain only", async (t) => {
  const api = readerOf("d")
  const { usage, label, up } = await exported(t, api, "--domain-id", "d")
  assert.deepEqual([usage, label, up], [{ p: 20 }, "elixir", 1])
  assert.deepEqual(paths(api), [
    ["/domains/d", {}],
    ["/projects", { domain_id: "d" }],
  ])
})

test("signs in to the domain for its projects where the configured scope may not list them", async (t) => {
  const api = fakeCloud(STATE)
  api.intercept = ({ path, domain }) => {
    if ((path === "/domains" || path === "/projects") && domain === undefined) throw refused(403)
    return undefined
  }
  for (const argv of [
    ["--domain-id", "d"],
    ["--domain", "elixir"],
  ]) {
    const { usage, label, up } = await exported(t, api, ...argv)
    assert.deepEqual([usage, label, up], [{ p: 20 }, "elixir", 1])
  }
  assert.ok(api.requests.every(({ path, domain }) => domain === undefined || (path === "/projects" && domain === "d")))
})

for (const status of [401, 403])
  test(`reports the first refusal where the domain cannot be signed in to either (${status})`, async (t) => {
    const api = fakeCloud(STATE)
    api.intercept = ({ path, domain }) => {
      if (path === "/projects")
        throw new ServiceError(statusReason(domain === undefined ? 403 : status), domain ?? "first")
      return undefined
    }
    const { usage, up, log } = await exported(t, api, "--domain-id", "d")
    assert.deepEqual([usage, up], [{}, 0])
    assert.match(log, /what=cloud reason=first/)
  })

test("takes the name of a domain that the user may not see from its token", async (t) => {
  const { usage, label, up } = await exported(t, readerOf("d", {}, []), "--domain-id", "d")
  assert.deepEqual([usage, label, up], [{ p: 20 }, "elixir", 1])
})

test("calls a domain UNKNOWN, as the original does, where neither Keystone nor the token names it", async (t) => {
  const { usage, label, up } = await exported(t, readerOf("d", { ownDomains: [] }, []), "--domain-id", "d")
  assert.deepEqual([usage, label, up], [{ p: 20 }, "UNKNOWN", 1])
})

test("reads a domain by its name with rights on that domain only, if it is the user's own", async (t) => {
  for (const name of ["elixir", "d"]) {
    const { usage, label, up } = await exported(t, readerOf("d"), "--domain", name)
    assert.deepEqual([usage, label, up], [{ p: 20 }, "elixir", 1])
  }
})

for (const argv of [["--domain"], ["--domain", "elixir", "Default"]]) {
  test(`refuses ${argv.join(" ")} with rights on one domain only: it would be a part`, async (t) => {
    const { usage, up, log } = await exported(t, readerOf("d"), ...argv)
    assert.deepEqual([usage, up], [{}, 0])
    assert.match(log, /level=error .*msg="cannot be read" what=cloud reason="responded with 403"/)
  })
}

test("refuses a wrong id where the user sees neither the domain nor a project, and names its own", async (t) => {
  const { usage, up, log } = await exported(t, readerOf("d"), "--domain-id", "wrong")
  assert.deepEqual([usage, up], [{}, 0])
  const reason =
    "identity shows this user neither the domain wrong nor a project in it. Check --domain-id, and that the user has a role on that domain; it signs in to elixir (d)"
  assert.ok(log.includes(`reason="${reason}"`), log)
})

test("reports a wrong id to an admin with the domains that there are, such as one given by its name", async (t) => {
  const { usage, up, log } = await exported(t, fakeCloud(STATE), "--domain-id", "elixir")
  assert.deepEqual([usage, up], [{}, 0])
  const reason = "there is no such domain; there is elixir (d), Default (other). Correct --domain-id"
  assert.ok(log.includes(`what="domain elixir" reason="${reason}"`), log)
})

test("an empty domain shows nothing, and nothing is missing", async (t) => {
  const { usage, up } = await exported(t, fakeCloud({ ...STATE, projects: [] }), "--domain-id", "d")
  assert.deepEqual([usage, up], [{}, 1])
})

test("a failure to read the domain fails the update: its name is no guess", async (t) => {
  const api = readerOf("d")
  const { intercept } = api
  api.intercept = (request) => {
    if (request.path === "/domains/d") throw refused(503)
    return intercept(request)
  }
  const { usage, up } = await exported(t, api, "--domain-id", "d")
  assert.deepEqual([usage, up], [{}, 0])
})
