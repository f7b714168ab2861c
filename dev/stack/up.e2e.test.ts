import assert from "node:assert/strict"
import { once } from "node:events"
import { readdir, readFile } from "node:fs/promises"
import { createServer } from "node:net"
import { join } from "node:path"
import { test } from "node:test"
import { start } from "../testing/child.ts"
import { until } from "../testing/until.ts"
import { FIRST_PROXY_PORT } from "./ports.ts"
import { isListening, nothingLeft, running, send, UP, up } from "./up.testing.ts"

const tableOf = (output: string): string =>
  /^SITE(?:.+\n)+/m.exec(output)?.[0].replaceAll(/ +\d+\.\d s ago/g, "  N s ago") ?? ""

test("--check starts two sites and the portal, shows that both are federated and stops everything", async (t) => {
  const child = up(t, "--check")
  if (child === undefined) return
  assert.equal(await child.ended, 0, child.output())
  assert.match(
    child.output(),
    /^Open the portal's page, which shows who delivers, who does not, why, and what to do: http:\/\/127\.0\.0\.1:\d+\/\n[^]*^Every site is federated, \d+ s after the start\.$/m,
  )
  assert.equal(tableOf(child.output()), expectedTable("site-a", "site-b"))
  await nothingLeft(child)
})

function expectedTable(...sites: readonly string[]): string {
  return `SITE    STATE     SERIES  LAST DELIVERY\n${sites.map((site) => `${site}  delivers       6  N s ago\n`).join("")}`
}

test("--sites starts further sites with invented clouds", async (t) => {
  const child = up(t, "--check", "--sites", "5")
  if (child === undefined) return
  assert.equal(await child.ended, 0, child.output())
  assert.equal(tableOf(child.output()), expectedTable("site-a", "site-b", "site-c", "site-d", "site-e"))
  await nothingLeft(child)
})

test("its first curl line succeeds, its second is refused, and its token stands in no command line", async (t) => {
  const child = up(t, "--sites", "1")
  if (child === undefined) return
  const output = await running(child)
  const [shared = "", everything = ""] = [...output.matchAll(/^ {2}(curl .*)$/gm)].map(([, line]) => line)
  assert.match(
    await shell(`${shared} --silent`),
    /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n[^]*project_vcpu_usage\{[^]*project_mb_usage\{|^HTTP\/1\.1 200 OK\r\n[^]*project_mb_usage\{[^]*project_vcpu_usage\{/,
  )
  assert.match(await shell(`${everything} --silent`), /^HTTP\/1\.1 403 Forbidden\r\n/)

  const token = /Bearer ([\w-]{32})'/.exec(output)?.[1] ?? assert.fail("no token")
  const commands = (await child.processes()).map(({ args }) => args)
  assert.equal(commands.length >= 6, true, "dev/up, the guard, three of the site, two of the portal")
  assert.deepEqual(
    commands.filter((args) => args.includes(token)),
    [],
  )
})

async function shell(command: string): Promise<string> {
  const child = start("sh", ["-c", command])
  await child.ended
  return child.output()
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`${signal} to the process group leaves no process, port or folder`, async (t) => {
    const child = up(t, "--sites", "1")
    if (child === undefined) return
    await running(child)
    send(child.process.pid, signal)
    assert.equal(await child.ended, 0, child.output())
    await nothingLeft(child)
  })
}

test("SIGTERM while it starts stops what has started", async (t) => {
  const child = up(t)
  if (child === undefined) return
  await until("something to start", () => (child.output().includes("starting site-a exporter") ? true : undefined))
  send(child.process.pid, "SIGTERM")
  assert.equal(await child.ended, 143, child.output())
  await nothingLeft(child)
})

test("a second SIGINT does not wait", async (t) => {
  const child = up(t, "--sites", "1")
  if (child === undefined) return
  await running(child)
  for (const { pid, args } of await child.processes()) if (args.includes("proxy")) process.kill(pid, "SIGSTOP")
  const before = performance.now()
  send(child.process.pid, "SIGINT")
  await until("the end to begin", () => (child.output().includes("Stopping everything.") ? true : undefined))
  send(child.process.pid, "SIGINT")
  assert.equal(await child.ended, 130)
  assert.ok(performance.now() - before < 10_000) // and not when what goes on is killed
  await nothingLeft(child)
})

test("SIGKILL of dev/up leaves nothing after a moment", async (t) => {
  const child = up(t, "--sites", "1")
  if (child === undefined) return
  await running(child)
  child.process.kill("SIGKILL")
  assert.equal(await child.ended, "SIGKILL")
  await nothingLeft(child)
})

test("a process that dies is reported and started again on its port; logs outlive it all", async (t) => {
  const child = up(t, "--sites", "1")
  if (child === undefined) return
  const output = await running(child)
  const proxies = async () => (await child.processes()).filter(({ args }) => args.includes("cli.ts proxy"))
  const [proxy] = await proxies()
  process.kill(proxy?.pid ?? assert.fail("no proxy runs"), "SIGKILL")
  const port = Number(/site-a {2}proxy +http:\/\/127\.0\.0\.1:(\d+)/.exec(output)?.[1])
  await until("another proxy on its port", async () => {
    const [other] = await proxies()
    return other !== undefined && other.pid !== proxy?.pid && (await isListening(port)) ? true : undefined
  })
  const [, log = ""] =
    /^site-a proxy ended by itself \(SIGKILL\)\. Everything else goes on; .* Its log: (.*)$/m.exec(child.output()) ?? []
  send(child.process.pid, "SIGINT")
  assert.equal(await child.ended, 0, child.output())
  await nothingLeft(child)
  assert.match(await readFile(log, "utf8"), /msg=listening[^]*msg=listening[^]*msg=ending/)
})

test("its lines stop a site, which the portal sees, and start it again", async (t) => {
  const child = up(t)
  if (child === undefined) return
  const output = await running(child)
  const [, stop = "", again = ""] = /^Stop a site, .*:\n {2}(touch .*)\n {2}(rm .*)$/m.exec(output) ?? []
  const [, query = ""] = /^ {2}(curl -s .*up\{site!=""\}.*)$/m.exec(output) ?? []
  const states = async () => {
    const { data } = JSON.parse(await shell(query)) as {
      data: { result: { metric: { site: string }; value: string[] }[] }
    }
    return Object.fromEntries(data.result.map(({ metric, value }) => [metric.site, value[1]]))
  }
  await shell(stop)
  await until("site-a to be down", async () => ((await states())["site-a"] === "0" ? true : undefined), 30)
  assert.equal((await states())["site-b"], "1")
  assert.match(child.output(), /^site-a is stopped\.$/m)
  await shell(again)
  await until("site-a to be back", async () => ((await states())["site-a"] === "1" ? true : undefined), 60)
})

test("sites and portal evaluate the shipped rules, and scrape themselves as the shipped configurations do", async (t) => {
  const child = up(t, "--sites", "1")
  if (child === undefined) return
  const output = await running(child)
  const urls = [...output.matchAll(/^(?:portal|site-a| ) .*Prometheus {2}(http:\S+)$/gm)].map(([, url = ""]) => url)
  assert.equal(urls.length, 2, output)
  const expected = [
    { rules: ["portal/prometheus/rules"], jobs: ["portal", "prometheus", "site-a"] },
    { rules: ["site/prometheus/rules"], jobs: ["project_usages", "prometheus", "proxy"] },
  ]
  for (const [index, { rules, jobs }] of expected.entries()) {
    const get = async (path: string): Promise<unknown> =>
      ((await (await fetch(`${urls[index]}/api/v1/${path}`)).json()) as { data: unknown }).data
    await until(
      `jobs ${jobs.join(", ")}`,
      async () => {
        const { activeTargets } = (await get("targets")) as { activeTargets: { health: string; scrapePool: string }[] }
        const healthy = activeTargets.filter(({ health }) => health === "up").map(({ scrapePool }) => scrapePool)
        return healthy.toSorted().join() === jobs.join() ? true : undefined
      },
      60,
    )
    const { groups } = (await get("rules")) as { groups: { file: string; rules: { type: string; health: string }[] }[] }
    assert.ok(groups.some(({ rules: all }) => all.some(({ type }) => type === "alerting")))
    const files = (await readdir(join(UP, "..", "..", rules[0] ?? ""))).filter((name) => name.endsWith(".yml"))
    assert.deepEqual([...new Set(groups.map(({ file }) => file.replace(/^.*\//, "")))].toSorted(), files.toSorted())
    assert.deepEqual(
      groups.flatMap(({ rules: all }) => all).filter(({ health }) => health === "err"),
      [],
    )
  }
})

test("more sites than memory allows are refused before anything starts", async (t) => {
  const child = up(t, "--sites", "1000")
  if (child === undefined) return
  const needed = 1000 * 0.23 * 2 ** 30
  if (process.availableMemory() > needed) return t.skip("this machine has room for 1000 sites")
  assert.equal(await child.ended, 2)
  assert.match(
    child.output(),
    /^--sites: 1000 sites need about 225\.4 GiB of memory, and \d+\.\d GiB is available: start at most \d+, or set --force\n$/,
  )
})

test("uses another port where one is busy, and reports it", async (t) => {
  const busy = createServer().listen(FIRST_PROXY_PORT, "127.0.0.1")
  t.after(() => busy.close())
  // it is busy either way: another dev/up may hold it
  await once(busy, "listening").catch(() => undefined)
  const child = up(t, "--check", "--sites", "1")
  if (child === undefined) return
  assert.equal(await child.ended, 0, child.output())
  assert.match(
    child.output(),
    new RegExp(`^Port ${FIRST_PROXY_PORT} is in use; site-a proxy listens on \\d+ instead\\.$`, "m"),
  )
})

test("two run at the same time, and a third works after them", async (t) => {
  const children = [up(t, "--check", "--sites", "1"), up(t, "--check", "--sites", "1")]
  for (const child of children) if (child !== undefined) assert.equal(await child.ended, 0, child.output())
  const third = up(t, "--check", "--sites", "1")
  if (third !== undefined) assert.equal(await third.ended, 0, third.output())
})

test("a wrong argument ends it with 2 and one message", async () => {
  const child = start(UP, ["--sites", "none"])
  assert.equal(await child.ended, 2)
  assert.equal(child.output(), '--sites: must be a whole number from 1 to 1000 (is "none")\n')
})
