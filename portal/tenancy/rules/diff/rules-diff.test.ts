import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { readSettings } from "#core/config/read-settings.ts"
import { createLogger } from "#core/log/logger.ts"
import { serveKubeconfig } from "#core/kubernetes/testing.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { isWrite } from "../ruler/ruler-call.testing.ts"
import { type FakeRuler, startFakeRuler } from "../ruler/ruler.testing.ts"
import { rulesDiffSettings } from "../settings.ts"
import { rulesDiff } from "./rules-diff.ts"

const MANIFEST = `
apiVersion: open-metrics.vgs.io/v1
kind: List
items:
  - kind: OpenMetricsRule
    metadata: {name: a, namespace: ns}
    spec:
      tenants: [team-a, team-b]
      groups:
        - {name: one, interval: 60s, rules: [{record: a, expr: "sum by(x) (up)"}]}
        - {name: two, rules: [{record: b, expr: up}]}
`

/** What the command prints, and how it ends: `1 MESSAGE`. */
async function diff(
  t: TestContext,
  fake: FakeRuler,
  manifest: string,
  flags = [`--ruler-upstream-url=${fake.url.href}`],
): Promise<readonly [text: string, end: string]> {
  const file = await temporaryFolder(t).write("rules.yaml", manifest)
  return diffOf(fake, file, flags)
}

async function diffOf(
  fake: FakeRuler,
  file: string | undefined,
  flags: string[],
): Promise<readonly [text: string, end: string]> {
  const reading = readSettings({ settings: rulesDiffSettings, command: "fedstack rules diff", summary: "" }, flags, {})
  if (reading.kind === "help") throw new Error("no help was requested")
  const lines: string[] = []
  const log = createLogger({ level: "error", format: "logfmt" }, "rules", (line) => lines.push(line))
  const context = { log, signal: new AbortController().signal, env: {}, print: (text: string) => void lines.push(text) }
  const end = await rulesDiff(reading.values, file === undefined ? [] : [file], context).then(
    () => "0",
    (error: Error & { exitCode: number }) => `${error.exitCode} ${error.message.replaceAll(file ?? "FILE", "FILE")}`,
  )
  assert.deepEqual(fake.calls.filter(isWrite), [])
  return [lines.join(""), end]
}

test("shows what would change, and writes nothing", async (t) => {
  const fake = await startFakeRuler(t)
  fake.put("team-a", "ns", { name: "one", interval: "1m", rules: [{ record: "a", expr: "sum(up) by (x) # all" }] })
  fake.put("team-a", "ns", { name: "two", rules: [{ record: "b", expr: "down" }] })
  fake.put("team-a", "ns", { name: "foreign", rules: [{ record: "b", expr: "down" }] })
  const [text, end] = await diff(t, fake, MANIFEST)
  assert.equal(
    text,
    `ruler ruler, tenant team-a

update ns/two, by ns/a
@@ -1,4 +1,4 @@
 name: two
 rules:
   - record: b
-    expr: down
+    expr: up

adopt ns/one, by ns/a: stands there as it is wanted

ruler ruler, tenant team-b

create ns/one, by ns/a
+name: one
+interval: 60s
+rules:
+  - record: a
+    expr: sum by(x) (up)

create ns/two, by ns/a
+name: two
+rules:
+  - record: b
+    expr: up

`,
  )
  assert.equal(end, "1 groups: 2 to create, 1 to update, 1 to adopt")
})

test("ends with 0 where the ruler holds it all, however it is written", async (t) => {
  const fake = await startFakeRuler(t)
  for (const tenant of ["team-a", "team-b"]) {
    fake.put(tenant, "ns", { name: "one", interval: "1m", rules: [{ record: "a", expr: "sum(up) by (x)" }] })
    fake.put(tenant, "ns", { name: "two", rules: [{ record: "b", expr: "up" }] })
  }
  const [, end] = await diff(t, fake, MANIFEST)
  assert.equal(end, "0")
})

test("ends with 1 and says why where a group is invalid, and shows the others", async (t) => {
  const fake = await startFakeRuler(t)
  const [text, end] = await diff(t, fake, MANIFEST.replace("expr: up}", 'expr: "up +"}').replace(", team-b", ""))
  assert.match(text, /^create ns\/one, by ns\/a$/m)
  assert.match(text, /^invalid in ns\/a: group "two", rules\[0\]\.expr: .+$/m)
  assert.equal(end, "1 groups: 1 to create; resources with invalid groups: 1")
})

test("ends with 1 where nothing would change but a group is invalid, and with 0 where one has a warning", async (t) => {
  const fake = await startFakeRuler(t)
  const one = (fields: string) => `
kind: OpenMetricsRule
metadata: {name: a, namespace: ns}
spec: {tenants: [team-a], groups: [{name: one, ${fields}}]}
`
  const [, invalid] = await diff(t, fake, one('rules: [{record: a, expr: "up +"}]'))
  assert.equal(invalid, "1 nothing to do; resources with invalid groups: 1")
  fake.put("team-a", "ns", { name: "one", rules: [{ record: "a", expr: "up" }] })
  const [text, warned] = await diff(t, fake, one("limits: 1, rules: [{record: a, expr: up}]"))
  assert.equal(warned, "0")
  assert.doesNotMatch(text, /invalid/)
})

test("ends with 2 where the resources cannot be read, and not as if there were none", async (t) => {
  const fake = await startFakeRuler(t)
  const kubeconfig = await serveKubeconfig(t, (_, response) => response.writeHead(403).end("{}"))
  const [text, end] = await diffOf(fake, undefined, [
    `--ruler-upstream-url=${fake.url.href}`,
    `--kubeconfig=${kubeconfig}`,
    "--namespace=ns",
  ])
  assert.equal(text, "")
  assert.match(
    end,
    /^2 resources cannot be read: ns: Kubernetes refused to list openmetricsrules\S* in the namespace ns/,
  )
})

test("ends with 2 where a tenant's rules cannot be read, and shows the others'", async (t) => {
  const fake = await startFakeRuler(t)
  fake.fault = ({ tenant }) => (tenant === "team-a" ? { status: 400, text: "error listing\n" } : undefined)
  const [text, end] = await diff(t, fake, MANIFEST)
  assert.match(text, /^ruler ruler, tenant team-b$/m)
  assert.equal(
    end,
    "2 what would change is not known of all tenants:\nruler ruler, tenant team-a: GET /api/v1/rules: the ruler cannot read its rules (status 400): error listing",
  )
})

test("refuses a file without resources", async (t) => {
  const fake = await startFakeRuler(t)
  assert.deepEqual(await diff(t, fake, "groups: []\n"), [
    "",
    "1 FILE: holds no OpenMetricsRule; name a file with manifests",
  ])
})

test("refuses a folder, and says what to name", async (t) => {
  const fake = await startFakeRuler(t)
  const { path } = temporaryFolder(t)
  assert.deepEqual(await diffOf(fake, path, [`--ruler-upstream-url=${fake.url.href}`]), [
    "",
    "1 FILE: is a folder; name the files in it, such as FILE/*.yaml",
  ])
})

test("refuses names that YAML takes for something else, and YAML that is none, with their places", async (t) => {
  const fake = await startFakeRuler(t)
  const ends = [
    MANIFEST.replace("namespace: ns", "namespace: n"),
    MANIFEST.replace("name: a,", "name: 1,"),
    MANIFEST.replace("name: a,", ""),
    "a: 1\n---\n\tb: 1\n---\n\tc: 1\n",
  ].map(async (manifest) => (await diff(t, fake, manifest))[1])
  assert.deepEqual(await Promise.all(ends), [
    "1 FILE:6:25 items[0].metadata.namespace: must be text, but is the boolean false; put it in quotes",
    "1 FILE:6:16 items[0].metadata.name: must be text, but is the number 1; put it in quotes",
    "1 FILE:5:5 items[0]: is an OpenMetricsRule without metadata.name; add one",
    "1 FILE:3:1: is no valid YAML: Tabs are not allowed as indentation",
  ])
})

test("takes what kubectl takes: no namespace, empty annotations, and a list whose items have no kind", async (t) => {
  const fake = await startFakeRuler(t)
  const items = MANIFEST.replace("kind: List", "kind: OpenMetricsRuleList")
    .replace("kind: OpenMetricsRule\n    ", "")
    .replace("namespace: ns", "namespace: null, annotations: null")
  const [text, end] = await diff(t, fake, items)
  assert.match(text, /^create default\/one, by default\/a$/m)
  assert.equal(end, "1 groups: 4 to create")
})

test("shows no controls of the names of groups and resources", async (t) => {
  const fake = await startFakeRuler(t)
  const [text] = await diff(
    t,
    fake,
    MANIFEST.replace("name: two", 'name: "\\e[2J\\ninvalid"').replace("expr: up}", 'expr: "("}'),
  )
  assert.match(text, /^invalid in ns\/a: group "\\u001b\[2J\\ninvalid", rules\[0\]\.expr: unexpected end/m)
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f]/)
})

test("a ruler that serves some tenants has the rules of no others", async (t) => {
  const fake = await startFakeRuler(t)
  const text = `rulers: [{name: a, url: "${fake.url.href}", tenants: [team-b]}]\n`
  const rulers = await temporaryFolder(t).write("rulers.yaml", text)
  const [shown, end] = await diff(t, fake, MANIFEST, [`--rulers=${rulers}`])
  assert.deepEqual(shown.match(/^ruler .*/gm), ["ruler a, tenant team-b"])
  assert.equal(end, "1 groups: 2 to create")
})
