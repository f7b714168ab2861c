import assert from "node:assert/strict"
import { test } from "node:test"
import { readSettings } from "#core/config/read-settings.ts"
import { createLogger } from "#core/log/logger.ts"
import type { Collected } from "./collector.ts"
import { exporter, listeningOf } from "./exporter.ts"

const definition = {
  name: "test",
  example: "",
  docs: "",
  settings: {},
  port: 8080,
  portFlag: { flag: "-p, --port <port>", env: ["OLD_PORT"] },
  open: () => ({ collect: () => ({ families: [] }) }),
} as const

/** Where an exporter with these flags and variables listens, and the flag that chooses it. */
function listening(line: string, env: Readonly<Record<string, string>> = {}) {
  const { settings } = exporter(definition)
  const reading = readSettings({ command: "test", summary: "", settings }, line.split(" ").filter(Boolean), env)
  assert.ok(reading.kind === "values")
  const { addresses, flag } = listeningOf(definition, reading.values)
  return [flag, ...addresses.map(({ host, port }) => `${host}:${port}`)].join(" ")
}

test("listens on its default port, or on that of the original's flag or variable or of --web.listen-address", () => {
  assert.equal(listening(""), "--web.listen-address :8080")
  assert.equal(listening("-p 9000"), "--port :9000")
  assert.equal(listening("", { OLD_PORT: "9000" }), "--port :9000")
  assert.equal(
    listening("--web.listen-address 127.0.0.1:1 --web.listen-address [::1]:2"),
    "--web.listen-address 127.0.0.1:1 ::1:2",
  )
})

test("accepts the original's flag beside --web.listen-address only if they name the same port", () => {
  assert.equal(listening("-p 9000 --web.listen-address 127.0.0.1:9000"), "--port 127.0.0.1:9000")
  assert.throws(() => listening("-p 9000 --web.listen-address :9001"), {
    name: "UsageError",
    message: "--port: is 9000, but --web.listen-address names another port. Set only one of the two",
  })
})

/** An exporter whose collector records what happens to it. */
function recording({ collected, once = false }: { readonly collected: Collected; readonly once?: boolean }) {
  const events: string[] = []
  const record = (event: string) => (): Promise<void> => Promise.resolve(void events.push(event))
  const command = exporter({
    ...definition,
    once: () => once,
    open: () => ({
      collect: () => (events.push("collect"), collected),
      every: 3600,
      reload: record("reload"),
      close: record("close"),
    }),
  })
  const reading = readSettings(
    { command: "test", summary: "", settings: command.settings },
    ["--web.listen-address", "127.0.0.1:0"],
    {},
  )
  assert.ok(reading.kind === "values")
  const running = command.run(reading.values, {
    log: createLogger({ level: "error", format: "logfmt" }, "test", () => undefined),
    signal: new AbortController().signal,
    print: (text) => void events.push(text),
    env: {},
    now: () => new Date(),
  })
  return { events, running }
}

const ONE: Collected = { families: [{ name: "a", help: "A.", type: "gauge", samples: [{ labels: {}, value: 1 }] }] }
const ONE_TEXT = "# HELP a A.\n# TYPE a gauge\na 1\n"

test("collects anew after it has reloaded the collector's own files, and closes the collector last", async () => {
  const { events, running } = recording({ collected: ONE })
  const exporting = await running
  await (await fetch(`http://127.0.0.1:${exporting?.addresses[0]?.port}/metrics`)).text() // after the first collection
  await exporting?.reload()
  await exporting?.close()
  assert.deepEqual(events, ["collect", "reload", "collect", "close"])
})

test("prints one collection and ends, as a failure where something is missing in it", async () => {
  const whole = recording({ collected: ONE, once: true })
  assert.equal(await whole.running, undefined)
  assert.deepEqual(whole.events, ["collect", ONE_TEXT, "close"])
  const missing = new Map([["b", "is away"]])
  const partly = recording({ collected: { ...ONE, missing }, once: true })
  await assert.rejects(partly.running, { message: "Not everything could be read. b: is away" })
  assert.deepEqual(partly.events, ["collect", ONE_TEXT, "close"])
  const nothing = recording({ collected: { families: undefined }, once: true })
  await assert.rejects(nothing.running, { message: "Not everything could be read. test: nothing was read" })
})
