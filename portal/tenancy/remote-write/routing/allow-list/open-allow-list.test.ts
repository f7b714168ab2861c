import assert from "node:assert/strict"
import { rename } from "node:fs/promises"
import { type TestContext, test } from "node:test"
import { Registry } from "prom-client"
import { createLogger } from "#core/log/logger.ts"
import { serveKubeconfig } from "#core/kubernetes/testing.ts"
import { temporaryFolder } from "../../../../../dev/testing/folder.ts"
import { until } from "../../../../../dev/testing/until.ts"
import { valuesOf } from "../testing.ts"
import { type AllowList, openAllowList } from "./open-allow-list.ts"
import { FakeRules } from "./testing.ts"

const NOW = new Date("2026-01-02T03:04:05Z")

async function open(t: TestContext, argv: readonly string[]) {
  const lines: string[] = []
  const registry = new Registry()
  const seen: string[] = []
  const list: AllowList = await openAllowList(valuesOf(argv), {
    log: createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line)),
    registry,
    now: () => NOW,
    env: {},
    changed: () => seen.push(show(list)),
  })
  t.after(() => list.close())
  return {
    list,
    lines: () => lines.map((line) => line.replace(/^.*? level=/, "level=").trimEnd()),
    metrics: async () => (await registry.metrics()).split("\n").filter((line) => line.startsWith("fedstack_tenancy")),
    seen,
    becomes: (text: string) => until(`the allow list ${text}, not ${show(list)}`, () => show(list) === text),
  }
}

function show(list: AllowList | undefined): string {
  const state = list?.current()
  if (state === undefined) return "not open"
  if ("notReady" in state) return state.notReady
  return state.allowed === undefined ? "every valid tenant" : [...state.allowed].toSorted().join(" ")
}

async function kubernetes(t: TestContext, rules: FakeRules): Promise<readonly string[]> {
  const kubeconfig = await serveKubeconfig(t, rules.listener)
  return ["--kubernetes-poll-interval-seconds", "5", "--kubeconfig", kubeconfig]
}

test("accepts every valid tenant where no list is set", async (t) => {
  const { list, metrics, lines } = await open(t, [])
  assert.equal(show(list), "every valid tenant")
  assert.deepEqual(await metrics(), [])
  assert.deepEqual(lines(), [])
})

test("accepts every valid tenant where the list of the flags is empty, as that of the original is", async (t) => {
  const { list } = await open(t, ["--allow-listed-tenants", ""])
  assert.equal(show(list), "every valid tenant")
})

test("joins flags, file and resources, and shows how many each has", async (t) => {
  const rules = new FakeRules()
  rules.put("default/a", ["green", "red"])
  const file = await temporaryFolder(t).write("tenants.yaml", "tenants: [blue, red]")
  const argv = ["--allow-listed-tenants", "red,0", "--allow-list-file", file, ...(await kubernetes(t, rules))]
  const { becomes, metrics, seen } = await open(t, argv)
  await becomes("0 blue green red")
  assert.deepEqual(seen, ["0 blue green red"])
  assert.deepEqual(await metrics(), [
    'fedstack_tenancy_proxy_allowed_tenants{source="flags"} 2',
    'fedstack_tenancy_proxy_allowed_tenants{source="file"} 2',
    'fedstack_tenancy_proxy_allowed_tenants{source="kubernetes"} 2',
    'fedstack_tenancy_proxy_allow_list_last_success_timestamp_seconds{source="kubernetes"} 1767323045',
    'fedstack_tenancy_proxy_faulty_rules{source="kubernetes"} 0',
  ])
})

test("reads the file again when it changes, keeps the last good one of a bad one, and reports each once", async (t) => {
  const folder = temporaryFolder(t)
  const file = await folder.write("tenants.yaml", "tenants: [red]")
  const { list, becomes, seen, lines } = await open(t, ["--allow-list-file", file])
  assert.equal(show(list), "red")
  const replace = async (text: string): Promise<void> => rename(await folder.write("next.yaml", text), file)
  await replace("tenants: [red, blue]")
  await becomes("blue red")
  await replace("tenants: [a|b]")
  await until("the fault", () => lines().some((line) => line.includes("level=error")))
  assert.equal(show(list), "blue red")
  await replace("tenants: []")
  await becomes("")
  await list.reload()
  assert.deepEqual(seen, ["blue red", ""])
  assert.deepEqual(
    lines().filter((line) => line.includes("level=error")),
    [
      `level=error component=test msg="allow list file reload failed, keeping the previous one" faults=1`,
      `level=error component=test msg="${file}:1:11 tenants[0]: must consist of letters, digits and !-_.*'() (has \\"|\\")"`,
    ],
  )
})

test("does not start with a bad file", async (t) => {
  const file = await temporaryFolder(t).write("tenants.yaml", "tenants: red")
  await assert.rejects(open(t, ["--allow-list-file", file]), {
    message: `${file}:1:1 tenants: must be a list`,
  })
})

test("is not ready before the resources were listed, and reports why", async (t) => {
  const rules = new FakeRules()
  rules.failing = 403
  rules.put("default/a", ["red"])
  const { becomes, metrics, seen } = await open(t, ["--allow-listed-tenants", "blue", ...(await kubernetes(t, rules))])
  await becomes(
    'the allow list is not known yet: Kubernetes refused to list openmetricsrules.open-metrics.vgs.io in the namespace default (403): the account needs the rule {apiGroups: ["open-metrics.vgs.io"], resources: [openmetricsrules], verbs: [list]}. Response: not now',
  )
  assert.deepEqual(await metrics(), [
    'fedstack_tenancy_proxy_allowed_tenants{source="flags"} 1',
    'fedstack_tenancy_proxy_faulty_rules{source="kubernetes"} 0',
  ])
  assert.deepEqual(seen, [])
  rules.failing = undefined
  await becomes("blue red")
  assert.deepEqual(seen, ["blue red"])
})

test("is not ready while the first list takes its time", async (t) => {
  const rules = new FakeRules()
  rules.silent = true
  const { list } = await open(t, await kubernetes(t, rules))
  assert.equal(show(list), "the allow list is not known yet: its resources are being listed")
})

test("is not ready before all namespaces were listed", async (t) => {
  const rules = new FakeRules()
  rules.put("one/a", ["red"])
  rules.put("two/a", ["blue"])
  rules.put("three/a", ["green"])
  let lists = 0
  const kubeconfig = await serveKubeconfig(t, (request, response) => {
    const missing = request.url?.includes("/two/") === true && ++lists < 3
    if (missing) response.writeHead(500).end("{}")
    else rules.listener(request, response)
  })
  const argv = ["--kubernetes-poll-interval-seconds", "1", "--kubeconfig", kubeconfig, "--namespace", "one,two"]
  const { becomes, seen } = await open(t, argv)
  await becomes("blue red")
  assert.deepEqual(seen, ["blue red"])
})

test("follows the resources of all namespaces", async (t) => {
  const rules = new FakeRules()
  rules.put("one/a", ["red"])
  rules.put("two/a", ["blue"])
  const { becomes } = await open(t, [...(await kubernetes(t, rules)), "--all-namespaces"])
  await becomes("blue red")
})

test("follows what is added, changed and deleted, down to a list that accepts none", async (t) => {
  const rules = new FakeRules()
  rules.put("default/a", ["red"])
  const { becomes, seen, lines } = await open(t, await kubernetes(t, rules))
  await becomes("red")
  rules.put("default/b", ["blue", "red"])
  await becomes("blue red")
  rules.put("default/b", ["green"])
  await becomes("green red")
  rules.delete("default/a")
  await becomes("green")
  rules.delete("default/b")
  await becomes("")
  assert.deepEqual(seen, ["red", "blue red", "green red", "green", ""])
  assert.deepEqual(lines(), [
    'level=info component=test msg="allow list in force" tenants=1 added=red',
    'level=info component=test msg="allow list in force" tenants=2 added=blue',
    'level=info component=test msg="allow list in force" tenants=2 added=green removed=blue',
    'level=info component=test msg="allow list in force" tenants=1 removed=red',
    'level=warn component=test msg="the allow list is empty, only the default tenants are written"',
  ])
})

test("takes changes of thousands of resources together", async (t) => {
  const rules = new FakeRules()
  const { list, becomes, seen } = await open(t, await kubernetes(t, rules))
  await becomes("")
  for (let index = 0; index < 2000; index++) rules.put(`default/${index}`, [`a${index}`, `b${index}`])
  await until("the last one", () => show(list).includes("b1999"))
  assert.equal(show(list).split(" ").length, 4000)
  assert.ok(seen.length < 200, `${seen.length} changes`)
})

test("keeps the last list while the API is away", async (t) => {
  const rules = new FakeRules()
  rules.put("default/a", ["red"])
  const { list, becomes, lines } = await open(t, await kubernetes(t, rules))
  await becomes("red")
  rules.failing = 500
  rules.tear()
  await until("the problem", () => lines().some((line) => line.includes("watching openmetricsrules failed")))
  assert.equal(show(list), "red")
  rules.put("default/b", ["blue"])
  rules.failing = undefined
  await becomes("blue red")
})

test("sets aside what is malformed, keeps what was valid before, reports it once, and counts the others", async (t) => {
  const rules = new FakeRules()
  rules.put("default/good", ["red"])
  rules.put("default/partly", ["blue", "a|b"])
  rules.put("default/wrong", "white")
  const { becomes, lines, metrics } = await open(t, await kubernetes(t, rules))
  await becomes("blue red")
  const faulty = async () => (await metrics()).find((line) => line.includes("faulty"))
  assert.equal(await faulty(), 'fedstack_tenancy_proxy_faulty_rules{source="kubernetes"} 2')
  rules.put("default/good", { red: true })
  await until("another fault", async () => (await faulty())?.endsWith(" 3"))
  rules.put("default/more", ["green"])
  await becomes("blue green red")
  rules.put("default/good", ["black"])
  await becomes("black blue green")
  rules.delete("default/partly")
  await becomes("black green")
  assert.equal(await faulty(), 'fedstack_tenancy_proxy_faulty_rules{source="kubernetes"} 1')
  const event = 'msg="an OpenMetricsRule has faults, keeping what is valid of it or was before"'
  const noList = 'reason="spec.tenants must be a list"'
  const letters = String.raw`reason="spec.tenants[1] must consist of letters, digits and !-_.*'() (has \"|\") (is \"a|b\")"`
  assert.deepEqual(
    lines().filter((line) => line.includes("OpenMetricsRule")),
    [
      `level=warn component=test ${event} resource=default/partly ${letters}`,
      `level=warn component=test ${event} resource=default/wrong ${noList}`,
      `level=warn component=test ${event} resource=default/good ${noList}`,
      'level=info component=test msg="an OpenMetricsRule is valid again" resource=default/good',
    ],
  )
})
