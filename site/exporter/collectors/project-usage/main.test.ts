import assert from "node:assert/strict"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { test } from "node:test"
import { fileOf, jsonServer, serverOf, startTestExporter } from "./testing.ts"

const testdata = (name: string): string => new URL(`testdata/${name}`, import.meta.url).pathname
const golden = (name: string): string => readFileSync(testdata(name), "utf8")
const ARGS = ["-d", testdata("cloud.toml"), "-w", testdata("weights.toml"), "--domain"]
const CLOUD = '[elixir]\n[[elixir.projects]]\nproject_id = "a"\n[[elixir.projects]]\nproject_id = "b"\n'
const series = (text: string): readonly string[] =>
  [...text.matchAll(/^project_vcpu_usage\{.*project_id="(.*?)".*$/gm)].map(([, id]) => id ?? "")

test("exports a whole dummy cloud with weights and a pool at the first scrape", async (t) => {
  const exporter = await startTestExporter(t, [...ARGS, "--simple-vm-id", "pool", "--start", "2026-03-01"])
  assert.equal(await exporter.scrape(), golden("with-weights.prom"))
})

test("exports it without weights and pool since the first of the month, and warns of that", async (t) => {
  const exporter = await startTestExporter(t, ["-d", testdata("cloud.toml"), "--domain"])
  assert.equal(await exporter.scrape(), golden("plain.prom"))
  assert.match(exporter.log(), /level=warn .*no start date: usage is counted since the first of each month/)
})

test("responds the same on / and with any query parameters, compressed or not", async (t) => {
  const exporter = await startTestExporter(t, ARGS)
  const usage = async (path: string, encoding: string): Promise<string> => {
    const response = await fetch(`${exporter.url}${path}`, { headers: { "accept-encoding": encoding } })
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8")
    assert.equal(response.headers.get("content-encoding"), encoding === "gzip" ? "gzip" : null)
    return (await response.text()).split("# HELP fedstack_", 1)[0] ?? ""
  }
  const expected = await usage("/metrics", "identity")
  assert.match(expected, /^# HELP project_vcpu_usage /)
  assert.equal(await usage("/", "gzip"), expected)
  assert.equal(await usage("/?match[]=%7B__name__=~%22x%22%7D&match[]=y", "identity"), expected)
})

test("has the process's own metrics and health beside them", async (t) => {
  const exporter = await startTestExporter(t, ARGS)
  assert.match(await (await fetch(`${exporter.url}/metrics`)).text(), /^fedstack_build_info\{.*\} 1$/m)
  for (const path of ["/-/healthy", "/-/ready"]) assert.equal((await fetch(exporter.url + path)).status, 200)
  assert.equal((await fetch(`${exporter.url}/other`)).status, 404)
})

test("usage grows with the clock, and moves to the next month by itself", async (t) => {
  const exporter = await startTestExporter(t, ["-d", fileOf(t, `${CLOUD}machines = [{cpus = 2}]`), "--domain"])
  const usage = async (): Promise<string | undefined> => {
    await exporter.update()
    return /^project_vcpu_usage\{.*project_id="b".*\} (.*)$/m.exec(await exporter.scrape())?.[1]
  }
  assert.equal(await usage(), "456") // 9.5 days × 24 h × 2
  exporter.clock.now = new Date("2026-03-10T13:00:00Z")
  assert.equal(await usage(), "458")
  exporter.clock.now = new Date("2026-04-01T00:30:00Z")
  assert.equal(await usage(), "1")
})

test("a project that vanished from the cloud vanishes from the metrics", async (t) => {
  const file = fileOf(t, CLOUD)
  const exporter = await startTestExporter(t, ["-d", file])
  assert.deepEqual(series(await exporter.scrape()), ["a", "b"])
  writeFileSync(file, '[elixir]\n[[elixir.projects]]\nproject_id = "b"\n')
  await exporter.update()
  assert.deepEqual(series(await exporter.scrape()), ["b"])
})

test("a file that breaks later keeps the last usage for the greatest age", async (t) => {
  const file = fileOf(t, CLOUD)
  const exporter = await startTestExporter(t, ["-d", file, "--max-age", "10m"])
  await exporter.scrape()
  writeFileSync(file, "[elixir]\nprojects = 5")
  exporter.clock.now = new Date("2026-03-10T12:10:00Z")
  await exporter.update()
  assert.deepEqual(series(await exporter.scrape()), ["a", "b"])
  assert.equal(await exporter.value("fedstack_exporter_collector_up"), 0)
  const lastSuccess = await exporter.value("fedstack_exporter_collector_last_success_timestamp_seconds")
  assert.equal(lastSuccess, Date.parse("2026-03-10T12:00:00Z") / 1000)
  assert.match(
    exporter.log(),
    /level=error .*msg="cannot be read" .*cloud\.toml:2 elixir\.projects: must be an array of tables/,
  )

  exporter.clock.now = new Date("2026-03-10T12:10:01Z")
  assert.deepEqual(series(await exporter.scrape()), [])
  const ready = await fetch(`${exporter.url}/-/ready`)
  assert.equal(ready.status, 503)
  assert.match(await ready.text(), /^No data: .*cloud\.toml:2 elixir\.projects: must be an array of tables\n$/)

  writeFileSync(file, CLOUD)
  await exporter.update()
  assert.deepEqual(series(await exporter.scrape()), ["a", "b"])
  assert.equal(await exporter.value("fedstack_exporter_collector_up"), 1)
})

test("a file that is wrong from the beginning ends the start with all faults", async (t) => {
  const file = fileOf(t, "[a]\nb = 1\nc = 2\n")
  await assert.rejects(startTestExporter(t, ["-d", file]), {
    message: `${file}:2 a.b: unknown key\n${file}:3 a.c: unknown key`,
  })
  const good = fileOf(t, CLOUD)
  await assert.rejects(startTestExporter(t, ["-d", good, "-w", file]), /:1 a: unknown key$/)
  rmSync(file)
  await assert.rejects(startTestExporter(t, ["-d", file]), {
    message: `${file}: cannot be read: ENOENT: no such file or directory`,
  })
})

test("no usage is exported before weights are there, and never without them", async (t) => {
  let ready = false
  const sets = [{ resource_set_timestamp: 0, vcpus: [{ value: 1, weight: 10 }], memory_mb: [] }]
  const url = await serverOf(t, (_, response) =>
    ready ? response.end(JSON.stringify(sets)) : response.writeHead(500).end(),
  )
  const file = fileOf(t, `${CLOUD}machines = [{cpus = 1, existence = [2026-03-01, 2026-03-02]}]`)
  const exporter = await startTestExporter(t, ["-d", file, "--weight-update-endpoint", url.href])
  assert.deepEqual(series(await exporter.scrape()), [])
  assert.equal(await exporter.value("fedstack_project_usage_weights_up"), 0)
  ready = true
  await exporter.update()
  assert.match(await exporter.scrape(), /^project_vcpu_usage\{.*project_id="b".*\} 240$/m)
  assert.equal(await exporter.value("fedstack_project_usage_weights_up"), 1)
})

test("weights that cannot be read any more are missing, and usage goes on with the previous ones", async (t) => {
  const weights = (name: string) =>
    `[[${name}]]\nresource_set_timestamp = 0\nvcpus = [{value = 1, weight = 10}]\nmemory_mb = []\n`
  const file = fileOf(t, weights("weights"), "weights.toml")
  const cloud = fileOf(t, `${CLOUD}machines = [{cpus = 1, existence = [2026-03-01, 2026-03-02]}]`)
  const exporter = await startTestExporter(t, ["-d", cloud, "-w", file, "--weight-update-frequency", "1"])
  await exporter.scrape()
  writeFileSync(file, weights("weight"))
  await exporter.update()
  assert.match(await exporter.scrape(), /^project_vcpu_usage\{.*project_id="b".*\} 240$/m)
  assert.equal(await exporter.value("fedstack_exporter_collector_up"), 0)
  assert.match(
    exporter.log(),
    /level=warn .*msg="cannot be read" what=weights reason="keeping the previous ones: .*weight: unknown key/,
  )
})

test("the start date's endpoint wins over the flag", async (t) => {
  const url = await jsonServer(t, [{ start_date: "2026-02-01" }])
  const argv = ["-d", fileOf(t, CLOUD), "--start", "2026-03-01", "--start-date-endpoint", url.href]
  const exporter = await startTestExporter(t, argv)
  const start = await exporter.value("openstack_project_usage_start_timestamp_seconds")
  assert.equal(start, Date.UTC(2026, 1, 1) / 1000)
})

test("the file of weights wins over the endpoint, with a warning", async (t) => {
  const exporter = await startTestExporter(t, [...ARGS, "--weight-update-endpoint", "http://127.0.0.1:1/"])
  assert.equal(await exporter.value("fedstack_project_usage_weights_up"), 1)
  assert.match(exporter.log(), /level=warn .*--dummy-weights is set: --weight-update-endpoint is not read/)
})

test("refuses a start in the future and a start without a cloud", async (t) => {
  await assert.rejects(startTestExporter(t, [...ARGS, "--start", "2026-03-11"]), {
    name: "UsageError",
    message: "--start: 2026-03-11T00:00:00.000Z is in the future",
  })
  await assert.rejects(
    startTestExporter(t, []),
    /OS_AUTH_URL is missing[^]*set the OS_\* variables, or --openrc FILE, or OS_CLOUD .*; or --dummy-data FILE/,
  )
})

test("reports a port in use, and nothing keeps running", async (t) => {
  const exporter = await startTestExporter(t, ARGS)
  const port = new URL(exporter.url).port
  await assert.rejects(
    startTestExporter(t, [...ARGS, "--web.listen-address", `127.0.0.1:${port}`]),
    /another process uses it/,
  )
})
