import { join } from "node:path"
import type { TestContext } from "node:test"
import { parse } from "yaml"
import { readSettings } from "#core/config/read-settings.ts"
import { createLogger } from "#core/log/logger.ts"
import { until } from "../../../dev/testing/until.ts"
import { recordingProxy } from "./ruler/recording-proxy.testing.ts"
import { isWrite, showCall } from "./ruler/ruler-call.testing.ts"
import { rulesInformerSettings } from "./settings.ts"
import { type RunningInformer, startInformer } from "./start.ts"

export const CRD = join(import.meta.dirname, "../../kubernetes/openmetricsrule/customresourcedefinition.yaml")

export function valuesOf(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const usage = { command: "fedstack rules-informer", summary: "", example: "", docs: "rules.md" }
  const reading = readSettings({ ...usage, settings: rulesInformerSettings }, argv, env)
  if (reading.kind === "help") throw new Error("help was requested")
  return reading.values
}

export interface TestInformer extends RunningInformer {
  readonly url: string
  log(): string
  /** `/-/ready`: its status and text. */
  ready(): Promise<string>
}

/** As the command line starts it, on a free port; closed after the test. */
export async function startTestInformer(t: TestContext, argv: readonly string[]): Promise<TestInformer> {
  let lines = ""
  const log = createLogger({ level: "info", format: "logfmt" }, "rules-informer", (line) => (lines += line))
  const informer = await startInformer(valuesOf(["--port", "0", ...argv]), { log, now: () => new Date(), env: {} })
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= informer.close())
  t.after(close)
  const url = `http://127.0.0.1:${informer.addresses[0]?.port}`
  return {
    ...informer,
    close,
    url,
    log: () => lines,
    async ready() {
      const response = await fetch(`${url}/-/ready`)
      return `${response.status} ${(await response.text()).trim()}`
    },
  }
}

/** Between informer and ruler: shows what was written since it was requested last. */
export async function recordWrites(t: TestContext, ruler: string) {
  const { url, calls } = await recordingProxy(t, new URL(ruler))
  return { url: url.href, writes: (): readonly string[] => calls.splice(0).filter(isWrite).map(showCall) }
}

/** What a ruler holds for a tenant: the names of groups by namespace. */
export async function groupsAt(ruler: string, tenant: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const response = await fetch(`${ruler}/api/v1/rules`, { headers: { "x-scope-orgid": tenant } })
  const text = await response.text()
  if (response.status === 404) return {}
  if (!response.ok) throw new Error(`the ruler responded ${response.status} ${text}`)
  const all = parse(text) as Record<string, readonly { readonly name: string }[]>
  return Object.fromEntries(Object.entries(all).map(([at, groups]) => [at, groups.map(({ name }) => name).toSorted()]))
}

/** Waits until a ruler holds exactly these groups for a tenant. */
export const becomes = (ruler: string, tenant: string, groups: Readonly<Record<string, readonly string[]>>) =>
  until(`${tenant} to have ${JSON.stringify(groups)}`, async () => {
    const found = JSON.stringify(await groupsAt(ruler, tenant))
    if (found !== JSON.stringify(groups)) throw new Error(`it has ${found}`)
    return true
  })
