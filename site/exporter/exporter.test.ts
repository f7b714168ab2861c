import assert from "node:assert/strict"
import { test } from "node:test"
import { readSettings } from "#core/config/settings.ts"
import { exporter, listeningOf } from "./exporter.ts"

const definition = {
  name: "test",
  settings: {},
  port: 8080,
  portFlag: { flag: "-p, --port <port>", env: ["OLD_PORT"] },
  open: () => ({ collect: () => ({ families: [] }) }),
} as const

/** Where an exporter with these flags and variables listens, and the flag that says so. */
function listening(line: string, env: Readonly<Record<string, string>> = {}) {
  const { settings } = exporter(definition)
  const reading = readSettings({ command: "test", summary: "", settings }, line.split(" ").filter(Boolean), env)
  assert.ok(reading.kind === "values")
  const { addresses, flag } = listeningOf(definition, reading.values)
  return [flag, ...addresses.map(({ host, port }) => `${host}:${port}`)].join(" ")
}

test("listens on its default port, or where the original's flag or variable or --web.listen-address says", () => {
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
