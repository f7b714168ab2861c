import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { createServer, type RequestListener } from "node:http"
import { join } from "node:path"
import type { TestContext } from "node:test"
import type { Context } from "#core/component.ts"
import { createLogger } from "#core/log/logger.ts"
import { readSettings } from "#core/config/read-settings.ts"
import type { Values } from "#core/config/settings.ts"
import { command, projectUsage } from "./main.ts"
import type { Api } from "./openstack/api.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { listen } from "../../../../dev/testing/listen.ts"

/** What flags and variables say. Throws UsageError. */
export function valuesOf(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Values<typeof command.settings> {
  const reading = readSettings({ command: "usage", summary: "", settings: command.settings }, argv, env)
  if (reading.kind === "help") throw new Error("help was requested")
  return reading.values
}

/** A file in a folder of its own, gone after the test. */
export function fileOf(test: TestContext, text: string, name = "cloud.toml"): string {
  const file = join(temporaryFolder(test).path, name)
  writeFileSync(file, text)
  return file
}

/** A server on loopback, gone after the test. */
export async function serverOf(test: TestContext, respond: RequestListener): Promise<URL> {
  return new URL(`http://127.0.0.1:${await listen(test, createServer(respond))}/data`)
}

export const jsonServer = (test: TestContext, value: unknown): Promise<URL> =>
  serverOf(test, (_, response) => response.setHeader("content-type", "application/json").end(JSON.stringify(value)))

export interface TestExporter {
  readonly url: string
  /** Mutable: what the exporter takes for the present. */
  readonly clock: { now: Date }
  /** All log lines so far. */
  log(): string
  update(): Promise<void>
  close(): Promise<void>
  /** The response to a scrape without the metrics of the process and with a duration of 0. */
  scrape(): Promise<string>
  /** The value of a series without labels, or with those of this collector. */
  value(name: string): Promise<number | undefined>
}

/** The exporter as the command line starts it, at noon of 2026-03-10, on a free port; gone after the test. */
export async function startTestExporter(
  test: TestContext,
  argv: readonly string[],
  apis?: readonly Api[],
  begin = new Date("2026-03-10T12:00:00Z"),
): Promise<TestExporter> {
  const lines: string[] = []
  const clock = { now: begin }
  const context: Context = {
    log: createLogger({ level: "info", format: "logfmt" }, "exporter", (line) => lines.push(line)),
    signal: new AbortController().signal,
    print: () => undefined,
    env: {},
    now: () => clock.now,
  }
  const values = valuesOf(["--web.listen-address", "127.0.0.1:0", ...argv])
  const connect = apis && (() => Promise.resolve({ apis, close: () => Promise.resolve() }))
  const running = await projectUsage(connect).run(values, context)
  assert.ok(running)
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= running.close())
  test.after(close)
  const url = `http://127.0.0.1:${running.addresses[0]?.port}`
  const text = async (): Promise<string> => (await fetch(`${url}/metrics`)).text()
  return {
    url,
    clock,
    log: () => lines.join(""),
    update: () => running.reload(),
    close,
    scrape: async () => withoutProcess(await text()),
    value: async (name) => {
      const line = (await text())
        .split("\n")
        .find((candidate) => new RegExp(`^${name}(?:\\{[^}]*\\})? `).test(candidate))
      return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(" ")))
    },
  }
}

function withoutProcess(text: string): string {
  return text
    .split("\n")
    .filter((line) => line !== "" && !/^(?:# \w+ )?(?:process_|nodejs_|fedstack_build_info|fedstack_web_)/.test(line))
    .map((line) => line.replace(/(_duration_seconds(?:_sum|_bucket)?\{.*\}) .*/, "$1 0"))
    .map((line) => `${line}\n`)
    .join("")
}
