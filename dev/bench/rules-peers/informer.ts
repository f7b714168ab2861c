import { join } from "node:path"
import { type Child, start } from "../../testing/child.ts"
import { until } from "../../testing/until.ts"
import { residentOf } from "../proxy-peers/load.ts"

const FEDSTACK = join(import.meta.dirname, "../../../bin/fedstack")

export interface Informer {
  readonly pid: number
  /** Seconds from the start of the process until every tenant was compared, and written. */
  readonly seconds: number
  /** Since the start, at most: MB that were resident, milliseconds in which it responded to a probe. */
  most(): { readonly resident: number; readonly wait: number }
  /** Waits until so many resources are reported as synced. */
  synced(resources: number): Promise<void>
  stop(): Promise<unknown>
}

/** Starts the informer, and waits until it is ready. */
export async function startInformer(args: readonly string[], patience: number): Promise<Informer> {
  const begin = performance.now()
  const child = start(FEDSTACK, ["rules-informer", "--port", "0", ...args])
  const pid = child.process.pid ?? 0
  const port = await until("the informer to listen", () => {
    requireRunning(child)
    return /127\.0\.0\.1:(\d+)/.exec(child.output())?.[1]
  })
  const url = `http://127.0.0.1:${port}`
  let [resident, wait] = [0, 0]
  const probe = async (): Promise<void> => {
    const asked = performance.now()
    const response = await fetch(`${url}/-/healthy`)
    await response.text()
    wait = Math.max(wait, performance.now() - asked)
    resident = Math.max(resident, residentOf(pid))
  }
  let probing: Promise<void> | undefined
  const timer = setInterval(() => {
    probing ??= probe()
      .catch(() => undefined)
      .finally(() => (probing = undefined))
  }, 50)
  void child.ended.finally(() => clearInterval(timer))
  await until(
    "the first comparison",
    async () => {
      requireRunning(child)
      const response = await fetch(`${url}/-/ready`)
      await response.text()
      return response.ok
    },
    patience,
  )
  return {
    pid,
    seconds: (performance.now() - begin) / 1000,
    most: () => ({ resident, wait }),
    async synced(resources) {
      const line = `fedstack_rules_informer_resources{condition="Synced",status="True"} ${resources}\n`
      await until(
        "all resources to be synced",
        async () => (await (await fetch(`${url}/metrics`)).text()).includes(line),
        patience,
      )
    },
    async stop() {
      clearInterval(timer)
      await probing
      return child.stop()
    },
  }
}

function requireRunning(child: Child): void {
  if (child.process.exitCode !== null) throw new Error(`the informer ended: ${child.output()}`)
}
