import assert from "node:assert/strict"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { type Child, start } from "../../dev/testing/child.ts"
import { need } from "../../dev/testing/component.ts"
import { findPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { ready, scratch, startDoor, startPortal, type TestPortal } from "./testing.ts"

const files = {
  token: "s3cret",
  "own.yml": "groups: []\n",
  "base.yml": "rule_files: [own.yml]\n",
  "sites.yaml": `sites: [{name: a, url: "http://127.0.0.1:1", token: {file: token}}]\n`,
}
const refused = {
  ...files,
  "own.yml": "groups: [none]\n",
  "base.yml": "rule_files: [own.yml]\nglobal: {nonsense: 1}\n",
}

const reloaded = (portal: TestPortal, expected: number) =>
  until(`a reload with the result ${expected}`, async () =>
    (await portal.metric("fedstack_portal_prometheus_last_reload_successful")) === expected ? true : undefined,
  )

/** Starts it until it stays, as whatever restarts it does. */
async function supervise(t: TestContext, prometheus: string, config: string): Promise<{ url: string; child: Child }> {
  const data = await scratch(t)
  return until("Prometheus to stay", async () => {
    const child = start(join(prometheus, "prometheus"), [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      "--web.listen-address=127.0.0.1:0",
      "--web.enable-lifecycle",
    ])
    t.after(() => child.stop())
    const outcome = await until("Prometheus to be ready or to end", () =>
      child.output().includes("Server is ready") ? "ready" : child.process.exitCode === null ? undefined : "ended",
    )
    const [, port = ""] = /Listening on.*address=127\.0\.0\.1:(\d+)/.exec(child.output()) ?? []
    return outcome === "ready" ? { url: `http://127.0.0.1:${port}`, child } : undefined
  })
}

/** A portal whose configuration Prometheus accepted, and that was killed. */
async function acceptedThenKilled(t: TestContext, prometheus: string, first: Readonly<Record<string, string>>) {
  const [output, door] = [await scratch(t), await startDoor(t)]
  const portal = await startPortal(t, first, door.url, output)
  await ready(portal)
  const running = await supervise(t, prometheus, join(output, "prometheus.yml"))
  door.leadTo(running.url)
  await until("it to be kept", () => readFile(join(output, "accepted.json")))
  await portal.child.stop("SIGKILL")
  const contents = () =>
    Promise.all(["prometheus.yml", "rules/own.yml"].map((name) => readFile(join(output, name), "utf8")))
  return { output, door, running, contents, before: await contents() }
}

test("a portal that starts with a configuration that Prometheus refuses puts the accepted one back", async (t) => {
  const prometheus = need(t, findPrometheus())
  if (prometheus === undefined) return
  const { output, door, contents, before } = await acceptedThenKilled(t, prometheus, files)
  const portal = await startPortal(t, refused, door.url, output)
  await until("the refusal", () => (portal.child.output().includes("refused its new configuration") ? true : undefined))
  await until("the configuration before", async () => {
    assert.deepEqual(await contents(), before)
    return true
  })
  assert.match(before[0] ?? "", /tokens\/a\.[0-9a-f]{8}/)
  const [, token = ""] = /"(tokens\/a\.[0-9a-f]{8})"/.exec(before[0] ?? "") ?? []
  assert.equal(await readFile(join(output, token), "utf8"), "s3cret")
  assert.doesNotMatch(portal.child.output(), /s3cret/)
})

test("where both restart with a configuration that Prometheus refuses, Prometheus comes up with the accepted one", async (t) => {
  const prometheus = need(t, findPrometheus())
  if (prometheus === undefined) return
  const { output, door, running, contents, before } = await acceptedThenKilled(t, prometheus, files)
  await running.child.stop()
  door.close()
  const portal = await startPortal(t, refused, door.url, output)
  await ready(portal)
  door.leadTo((await supervise(t, prometheus, join(output, "prometheus.yml"))).url)
  await until("the refusal", () => (portal.child.output().includes("refused its new configuration") ? true : undefined))
  await until("the configuration before", async () => {
    assert.deepEqual(await contents(), before)
    return true
  })
})

test("where both restart and Prometheus refuses what it accepted before, it comes up with the new one", async (t) => {
  const prometheus = need(t, findPrometheus())
  if (prometheus === undefined) return
  const rules = join(await scratch(t), "absolute.yml")
  await writeFile(rules, "groups: []\n")
  const first = { ...files, "base.yml": `rule_files: [own.yml, ${rules}]\n` }
  const { output, door, running } = await acceptedThenKilled(t, prometheus, first)
  await running.child.stop()
  door.close()
  await writeFile(rules, "groups: [none]\n")
  const portal = await startPortal(t, files, door.url, output)
  await ready(portal)
  await until("the one before to be offered", async () =>
    (await readFile(join(output, "prometheus.yml"), "utf8")).includes(rules) ? true : undefined,
  )
  door.leadTo((await supervise(t, prometheus, join(output, "prometheus.yml"))).url)
  await reloaded(portal, 1)
  assert.doesNotMatch(await readFile(join(output, "prometheus.yml"), "utf8"), /absolute/)
})

test("waits with a new configuration while Prometheus starts", async (t) => {
  const prometheus = need(t, findPrometheus())
  if (prometheus === undefined) return
  const { output, door, running, contents, before } = await acceptedThenKilled(t, prometheus, files)
  door.starting()
  const portal = await startPortal(t, { ...files, "own.yml": "groups: [{name: new}]\n" }, door.url, output)
  await until("it to wait", () => (portal.child.output().includes("is still starting") ? true : undefined))
  door.leadTo(running.url)
  await reloaded(portal, 1)
  assert.notDeepEqual(await contents(), before)
})

const four = (change: (name: string) => string): string =>
  `sites:\n${["a", "b", "c", "d"].map((name) => `  - {name: ${name}, url: "http://127.0.0.1:1/${name}", ${change(name)}}\n`).join("")}`
const good = { ...files, "sites.yaml": four(() => "token: {file: token}") }
const UNREADABLE = "cannot be read: ENOENT: no such file or directory"

test("a portal that restarts with faulty files starts with the accepted configuration, names each fault, and follows when they are mended", async (t) => {
  const prometheus = need(t, findPrometheus())
  if (prometheus === undefined) return
  const { output, door } = await acceptedThenKilled(t, prometheus, good)
  const half = four((name) => (name > "b" ? "token: {file: token}" : `token: {file: ${name}.token}`))
  const { "sites.yaml": _, ...none } = good
  const { token: __, ...tokenless } = good
  for (const [broken, faults] of [
    [
      tokenless,
      ["a", "b", "c", "d"].map((_name, index) => `sites[${index}].token.file: the file FOLDER/token ${UNREADABLE}`),
    ],
    [
      {
        ...good,
        "sites.yaml": good["sites.yaml"].replace("http:", "https:").replace("}}", "}, tls: {ca_file: ca.pem}}"),
      },
      [`sites[0].tls.ca_file: the file FOLDER/ca.pem ${UNREADABLE}`],
    ],
    [none, [`FOLDER/sites.yaml: ${UNREADABLE}`]],
    [{ ...good, "sites.yaml": "sites: {\n" }, ["not valid YAML"]],
    [
      { ...good, "sites.yaml": half },
      ["a", "b"].map((name, index) => `sites[${index}].token.file: the file FOLDER/${name}.token ${UNREADABLE}`),
    ],
    [{ ...good, "base.yml": "rule_files: [gone.yml]\n" }, ["rule_files[0]: there is no file FOLDER/gone.yml"]],
  ] as const) {
    const portal = await startPortal(t, broken, door.url, output)
    await ready(portal)
    await reloaded(portal, 1)
    assert.equal(await portal.metric('fedstack_config_last_reload_successful{config="sites"}'), 0)
    assert.equal(await portal.metric("fedstack_portal_sites"), 4)
    assert.equal(await portal.metric('fedstack_portal_site_interval_seconds{site="d"}'), 30)
    const [, count, ...lines] =
      /load failed, starting with the last accepted one" faults=(\d+)\n((?:ts=.* level=error .*\n)+)/.exec(
        portal.child.output(),
      ) ?? []
    const logged = lines.join("").trimEnd().split("\n")
    assert.deepEqual([count, logged.length], [String(faults.length), faults.length])
    const missing = faults.filter((fault, index) => !logged[index]?.includes(fault.replace("FOLDER", portal.folder)))
    assert.deepEqual(missing, [], logged.join("\n"))
    assert.doesNotMatch(portal.child.output(), /s3cret/)
    for (const [name, content] of Object.entries(good)) await portal.write(name, content)
    for (const name of ["a.token", "b.token"]) await portal.write(name, "s3cret")
    await until("the mended files to be in force", async () =>
      (await portal.metric('fedstack_config_last_reload_successful{config="sites"}')) === 1 ? true : undefined,
    )
    await reloaded(portal, 1)
    await portal.child.stop()
  }
})
