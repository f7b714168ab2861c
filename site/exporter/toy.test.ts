import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { test } from "node:test"
import { readSettings } from "#core/config/read-settings.ts"
import { createLogger } from "#core/log/logger.ts"
import { command } from "./toy.testing.ts"

const read = (argv: readonly string[]) =>
  readSettings({ command: "fedstack exporter toy", summary: "", settings: command.settings }, argv, {})

test("a new exporter takes at most 30 lines beside its documentation", async () => {
  const text = await readFile(new URL("toy.testing.ts", import.meta.url), "utf8")
  assert.ok(text.trimEnd().split("\n").length <= 30)
})

test("it serves its gauge, the metrics of its runs and its process, and health", async (t) => {
  const reading = read(["--sides", "20", "--web.listen-address", "127.0.0.1:0"])
  assert.ok(reading.kind === "values")
  const running = await command.run(reading.values, {
    log: createLogger({ level: "error", format: "logfmt" }, "toy", () => undefined),
    signal: new AbortController().signal,
    print: () => undefined,
    env: {},
    now: () => new Date("2026-03-10T12:00:00Z"),
  })
  assert.ok(running)
  t.after(() => running.close())
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${running.addresses[0]?.port}${path}`)
    return { status: response.status, text: await response.text() }
  }
  const { text } = await get("/metrics")
  const [own = ""] = text.split(/^# HELP process_/m)
  assert.equal(
    own.replace(/(_duration_seconds\{.*\}) .*/, "$1 0"),
    `# HELP toy_sides Sides of the die.
# TYPE toy_sides gauge
toy_sides 20
# HELP fedstack_exporter_collector_up 1 if the collector's last run read everything, 0 if something was missing, no run has ended yet, or its result is too old.
# TYPE fedstack_exporter_collector_up gauge
fedstack_exporter_collector_up{collector="toy"} 1
# HELP fedstack_exporter_collector_missing How many things the collector's last run could not read; the log has each of them, with the reason.
# TYPE fedstack_exporter_collector_missing gauge
fedstack_exporter_collector_missing{collector="toy"} 0
# HELP fedstack_exporter_collector_duration_seconds How long the collector's last run took.
# TYPE fedstack_exporter_collector_duration_seconds gauge
fedstack_exporter_collector_duration_seconds{collector="toy"} 0
# HELP fedstack_exporter_collector_last_success_timestamp_seconds When the collector's last run began that read everything, in Unix time.
# TYPE fedstack_exporter_collector_last_success_timestamp_seconds gauge
fedstack_exporter_collector_last_success_timestamp_seconds{collector="toy"} 1773144000
`,
  )
  assert.match(text, /^process_resident_memory_bytes /m)
  assert.match(text, /^fedstack_build_info\{.*\} 1$/m)
  assert.deepEqual(await get("/-/healthy"), { status: 200, text: "Healthy.\n" })
  assert.deepEqual(await get("/-/ready"), { status: 200, text: "Ready.\n" })
  await running.reload()
})

test("its help lists its own flag and those of every exporter", () => {
  const reading = read(["--help"])
  assert.ok(reading.kind === "help")
  assert.match(reading.text, /--sides <number>\s+Set how many sides the die has \(default: 6,\s+env: FEDSTACK_SIDES\)/)
  assert.match(reading.text, /--web\.listen-address <host:port>[^]*default: :8080/)
  assert.match(reading.text, /--web\.config\.file <file>/)
  assert.doesNotMatch(reading.text, /--port/)
})
