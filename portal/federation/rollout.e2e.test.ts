import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { start } from "../../dev/testing/child.ts"
import { until } from "../../dev/testing/until.ts"
import { launcher, mountTiny, ready, scratch, startPortal, type TestPortal } from "./testing.ts"

const files = {
  "site-a.token": "s3cret",
  "sites.yaml": "sites: [{name: site-a, url: 'http://127.0.0.1:1', token: {file: site-a.token}}]\n",
}
const more = "sites: [{name: site-b, url: 'http://127.0.0.1:1', token: {file: site-a.token}}]\n"

const written = (portal: TestPortal, site: string) =>
  until(`the configuration of ${site}`, async () =>
    (await readFile(join(portal.folder, "out/prometheus.yml"), "utf8")).includes(`job_name: "${site}"`)
      ? true
      : undefined,
  )

const NEEDED =
  "needs token, basic_auth, authorization, oauth2 or jwt, or a client certificate: tls with cert_file and key_file"

test("ends with 1 and every fault on a bad file at start", async (t) => {
  const portal = await startPortal(t, { "sites.yaml": "sites:\n  - name: a\n  - nam: b\n" })
  assert.equal(await portal.child.ended, 1)
  assert.deepEqual(
    portal.child
      .output()
      .split("\n")
      .filter((line) => line.startsWith(portal.folder))
      .map((line) => line.slice(portal.folder.length + 1)),
    [
      "sites.yaml:2:5 sites[0].url: is missing; it must be a URL such as https://site-a.example.org",
      `sites.yaml:2:5 sites[0]: ${NEEDED}`,
      "sites.yaml:3:5 sites[1].name: is missing; it must be a name such as site-a",
      "sites.yaml:3:5 sites[1].url: is missing; it must be a URL such as https://site-a.example.org",
      "sites.yaml:3:5 sites[1].nam: unknown key",
      `sites.yaml:3:5 sites[1]: ${NEEDED}`,
    ],
  )
})

test("is ready without Prometheus, and ends at once on SIGTERM", async (t) => {
  const portal = await startPortal(t, files)
  await ready(portal)
  assert.equal(await portal.metric("fedstack_portal_prometheus_last_reload_successful"), 0)
  assert.equal(await portal.child.stop(), 0)
  assert.doesNotMatch(portal.child.output(), /s3cret/)
})

test("SIGTERM while it starts ends it with 0, and what it wrote is whole", async (t) => {
  const folder = await scratch(t)
  const names = Array.from({ length: 300 }, (_, index) => `site-${index}`)
  const site = (name: string) => `  - {name: ${name}, url: "http://127.0.0.1:1/${name}", token: {env: SITE_TOKEN}}\n`
  await writeFile(join(folder, "sites.yaml"), `sites:\n${names.map(site).join("")}`)
  const output = join(folder, "out")
  const args = [`--sites.file=${join(folder, "sites.yaml")}`, `--prometheus.config-dir=${output}`]
  const child = start(launcher, ["portal", ...args, "--web.listen-address=127.0.0.1:0"], { SITE_TOKEN: "s3cret" })
  t.after(() => child.stop())
  await until("it to write", async () => ((await readdir(join(output, "tokens"))).length > 0 ? true : undefined))
  assert.equal(await child.stop(), 0)
  const config = await readFile(join(output, "prometheus.yml"), "utf8").catch(() => "")
  const tokens = await readdir(join(output, "tokens"))
  const missing = [...config.matchAll(/credentials_file: "tokens\/(.*)"/g)].filter(
    ([, file = ""]) => !tokens.includes(file),
  )
  assert.deepEqual(missing, [])
  assert.doesNotMatch(child.output(), /s3cret/)
})

test("reads the files again on SIGHUP", async (t) => {
  const portal = await startPortal(t, files)
  await ready(portal)
  portal.child.process.kill("SIGHUP")
  await until("a second reading", () => (portal.child.output().includes('msg="sites reloaded"') ? true : undefined))
})

test("warns of each site whose token crosses the network unencrypted, once at each reading", async (t) => {
  const site = (name: string, url: string) => `  - {name: ${name}, url: "${url}", token: {file: site-a.token}}\n`
  const sites = site("a", "http://a.invalid") + site("b", "http://127.0.0.1:1") + site("c", "http://proxy:8000/c")
  const portal = await startPortal(t, { ...files, "sites.yaml": `sites:\n${sites}` })
  await ready(portal)
  portal.child.process.kill("SIGHUP")
  const warned = () =>
    [
      ...portal.child
        .output()
        .matchAll(/level=warn .*msg="credentials and data cross the network unencrypted: .*" (.*)$/gm),
    ].map(([, fields]) => fields)
  const found = await until("warnings of two readings", () => (warned().length > 3 ? warned() : undefined))
  assert.deepEqual(found, ["site=a", "site=c", "site=a", "site=c"])
  assert.doesNotMatch(portal.child.output(), /s3cret/)
})

test("reads a token file that could not be read at first as soon as it can be", async (t) => {
  const portal = await startPortal(t, files)
  await ready(portal)
  await portal.write("sites.yaml", more.replace("site-a.token", "site-b.token"))
  await until("the fault to show", async () =>
    (await portal.metric('fedstack_config_last_reload_successful{config="sites"}')) === 0 ? true : undefined,
  )
  await portal.write("site-b.token", "other")
  await written(portal, "site-b")
})

test("does not write over another configuration, shows why, and continues when it is gone", async (t) => {
  const outputFolder = await scratch(t)
  await writeFile(join(outputFolder, "prometheus.yml"), "global: {}\n")
  const portal = await startPortal(t, files, undefined, outputFolder)
  const response = await until("not ready, with the reason", async () => {
    const text = await (await fetch(`${portal.url}/-/ready`)).text()
    return text.includes("was not written by fedstack portal") ? text : undefined
  })
  assert.match(response, /--prometheus\.config-dir/)
  assert.equal(await portal.metric("fedstack_portal_config_last_write_successful"), 0)
  await rm(join(outputFolder, "prometheus.yml"))
  await ready(portal)
})

test("writes nothing where another portal writes, shows why, and follows it when that is killed", async (t) => {
  const outputFolder = await scratch(t)
  const first = await startPortal(t, files, undefined, outputFolder)
  await ready(first)
  const before = await readFile(join(outputFolder, "prometheus.yml"), "utf8")
  const second = await startPortal(t, { ...files, "sites.yaml": more }, undefined, outputFolder)
  const response = await until("not ready, with the reason", async () => {
    const text = await (await fetch(`${second.url}/-/ready`)).text()
    return text.startsWith("Another") ? text : undefined
  })
  assert.equal(
    response,
    `Another fedstack portal is running that writes to ${outputFolder}. End that one, or give this one a folder of its own with --prometheus.config-dir.\n`,
  )
  assert.equal(second.child.output().split(response.trim()).length - 1, 1)
  assert.equal(await second.metric("fedstack_portal_config_last_write_successful"), 0)
  assert.equal(await readFile(join(outputFolder, "prometheus.yml"), "utf8"), before)
  await first.child.stop("SIGKILL")
  await ready(second)
  assert.match(await readFile(join(outputFolder, "prometheus.yml"), "utf8"), /job_name: "site-b"/)
})

const trouble = (portal: TestPortal, reason: RegExp) =>
  until(`a message of ${reason.source}`, () => (reason.test(portal.child.output()) ? true : undefined))

test("keeps the old files whole on a full disk, and writes when there is room again", async (t) => {
  const disk = await mountTiny(t)
  if (disk === undefined) return
  await mkdir(join(disk, "out"))
  const portal = await startPortal(t, files, undefined, join(disk, "out"))
  await ready(portal)
  const before = await readFile(join(disk, "out/prometheus.yml"), "utf8")
  spawnSync("dd", ["if=/dev/zero", `of=${join(disk, "filler")}`, "bs=4k"])
  await portal.write("sites.yaml", more)
  await trouble(portal, /cannot be written to .*ENOSPC/)
  assert.equal(await readFile(join(disk, "out/prometheus.yml"), "utf8"), before)
  assert.equal((await fetch(`${portal.url}/-/ready`)).status, 200)
  assert.equal(await portal.metric("fedstack_portal_config_last_write_successful"), 0)
  spawnSync("rm", [join(disk, "filler")])
  await until("the new configuration", async () =>
    (await readFile(join(disk, "out/prometheus.yml"), "utf8")).includes("site-b") ? true : undefined,
  )
})

test("is not ready on a read-only disk, logs why once, and is ready when it can write", async (t) => {
  const disk = await mountTiny(t)
  if (disk === undefined) return
  spawnSync("mount", ["-o", "remount,ro", disk])
  const portal = await startPortal(t, files, undefined, join(disk, "out"))
  await trouble(portal, /cannot be written to .*EROFS/)
  assert.equal((await fetch(`${portal.url}/-/ready`)).status, 503)
  spawnSync("mount", ["-o", "remount,rw", disk])
  await ready(portal)
  assert.equal(portal.child.output().split("EROFS").length - 1, 1)
})
