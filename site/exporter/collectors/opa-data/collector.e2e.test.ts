import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { makeAuthority } from "../../../../dev/testing/certificates.ts"
import { need } from "../../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { findOpa, type RunningOpa } from "../../../../dev/testing/opa.ts"
import { findPrometheus } from "../../../../dev/testing/prometheus.ts"
import { until } from "../../../../dev/testing/until.ts"
import type { OpaTarget } from "./target.ts"
import { startTestExporter, targetOf, targetsOf } from "./testing.ts"
import { feed, FEW, objectOf, opaOf, PATHS, range } from "./opa.testing.ts"

const golden = (name: string): string => readFileSync(new URL(`testdata/${name}`, import.meta.url), "utf8")

const AUTHZ = `package system.authz
import rego.v1
default allow := false
allow if input.path in [[""], ["health"]]
allow if input.identity == "mgmt-t0ken"
`

test("six replicas that drift, refuse, hang, die and come back, step by step", async (t) => {
  const folder = need(t, findOpa())
  if (folder === undefined) return
  const files = temporaryFolder(t)
  const authority = makeAuthority("private authority")
  const own = authority.issue({ name: "opa.opa.svc", sans: ["DNS:opa.opa.svc"] })
  const tls = ["cert", "key"].map(async (part) => files.write(`opa.${part}`, own[part === "cert" ? "cert" : "key"]))
  const [certFile = "", keyFile = ""] = await Promise.all(tls)
  const authz = await files.write("authz.rego", AUTHZ)

  const [lacking, changed, hanging, dying] = await Promise.all(range(4).map(() => opaOf(t, folder)))
  const denying = await opaOf(t, folder, {
    flags: ["--authentication=token", "--authorization=basic", authz],
    token: "mgmt-t0ken",
  })
  const secure = await opaOf(t, folder, {
    flags: [`--tls-cert-file=${certFile}`, `--tls-private-key-file=${keyFile}`],
    tls: { ca: authority.cert, serverName: "opa.opa.svc" },
  })
  assert.ok(lacking && changed && hanging && dying)
  for (const opa of [lacking, changed, denying, secure, hanging, dying]) await feed(opa, FEW)

  const target = (pod: string, { port, url }: RunningOpa): OpaTarget =>
    targetOf(port, { pod, node: `node-of-${pod}`, scheme: url.startsWith("https:") ? "https" : "http" })
  const others = [
    target("opa-lacking", lacking),
    target("opa-changed", changed),
    target("opa-denying", denying),
    target("opa-secure", secure),
    target("opa-hanging", hanging),
  ]
  const targets = targetsOf([...others, target("opa-dying", dying)])
  const tokenFile = await files.write("token", "wr0ng\n")
  const exporter = await startTestExporter(t, targets, [
    ...PATHS,
    `--opa-ca-file=${await files.write("ca.pem", authority.cert)}`,
    "--opa-server-name=opa.opa.svc",
    `--opa-token-file=${tokenFile}`,
    "--opa-read-method=query",
    "--timeout=3",
    "--digest-budget=1",
  ])
  const collectAt = async (time: string): Promise<void> => {
    exporter.clock.now = new Date(`2026-03-10T${time}Z`)
    await exporter.collect()
  }

  // all hold the same, and one denies the wrong token
  assert.equal(await exporter.scrape(), golden("1-same-but-denied.prom"))

  // one misses an event, one holds an old version, and the token is the right one now
  await lacking.patch("kubernetes/services", "remove", "/ns-0/service-0")
  await changed.patch("kubernetes/ingresses", "replace", "/ns-1/ingress-1/metadata/resourceVersion", "99")
  await files.write("token", "mgmt-t0ken\n")
  await until("the new token", () => (/credentials reloaded/.test(exporter.log()) ? true : undefined))
  await collectAt("12:00:30")
  assert.equal(await exporter.scrape(), golden("2-drift.prom"))

  // one hangs, one is gone
  hanging.child.process.kill("SIGSTOP")
  await dying.stop()
  await collectAt("12:01:00")
  assert.equal(await exporter.scrape(), golden("3-hanging-and-dead.prom"))

  // one goes on, the other comes back under another address and begins empty; drift is mended in one
  hanging.child.process.kill("SIGCONT")
  const reborn = await opaOf(t, folder)
  targets.list = [...others, target("opa-dying", reborn)]
  await changed.patch("kubernetes/ingresses", "replace", "/ns-1/ingress-1/metadata/resourceVersion", "1")
  await collectAt("12:01:30")
  assert.equal(await exporter.scrape(), golden("4-back-but-empty.prom"))

  // everything is as it was
  await feed(reborn, FEW)
  await lacking.patch("kubernetes/services", "add", "/ns-0/service-0", objectOf("Service", "service-0", 0))
  await collectAt("12:02:00")
  assert.equal(await exporter.scrape(), golden("5-healed.prom"))
  assert.doesNotMatch(exporter.log(), /t0ken|wr0ng/)
})

test("content is compared where that is set, and shows what a resourceVersion hides", async (t) => {
  const folder = need(t, findOpa())
  if (folder === undefined) return
  const [a, b] = [await opaOf(t, folder), await opaOf(t, folder)]
  for (const opa of [a, b]) await feed(opa, FEW)
  await b.patch("kubernetes/services", "replace", "/ns-0/service-0/spec/ports/0/port", 8080)
  // what kube-mgmt leaves of a namespace whose last object went: no drift
  await b.patch("kubernetes/ingresses", "add", "/emptied", {})
  const pods = targetsOf([targetOf(a.port, { pod: "opa-a" }), targetOf(b.port, { pod: "opa-b" })])
  const inSync = async (digest: string): Promise<readonly string[]> => {
    const exporter = await startTestExporter(t, pods, [...PATHS, "--digest", digest])
    return (await exporter.series("opa_data_in_sync")).map((line) => line.replace(/.*"(.*)".* /, "$1 "))
  }
  const SAME = ["kubernetes/namespaces 1", "kubernetes/services 1", "kubernetes/ingresses 1"]
  assert.deepEqual(await inSync("resourceVersion"), SAME)
  assert.deepEqual(await inSync("content"), SAME.with(1, "kubernetes/services 0"))
})

test("promtool has nothing against the exposition but names kept for compatibility", (t) => {
  const folder = need(t, findPrometheus())
  if (folder === undefined) return
  const input = golden("3-hanging-and-dead.prom")
  const { stderr, error } = spawnSync(join(folder, "promtool"), ["check", "metrics"], { input, encoding: "utf8" })
  if (error !== undefined) throw error
  assert.deepEqual([...new Set(stderr.split("\n").filter(Boolean))], [])
})
