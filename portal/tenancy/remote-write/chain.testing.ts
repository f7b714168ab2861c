import { join } from "node:path"
import type { TestContext } from "node:test"
import { type Child, start } from "../../../dev/testing/child.ts"
import { need } from "../../../dev/testing/component.ts"
import { type CortexOptions, findCortex, type RunningCortex, startCortex } from "../../../dev/testing/cortex.ts"
import { freePort } from "../../../dev/testing/free-port.ts"
import { type Recorder, type RecorderOptions, startRecorder } from "../../../dev/testing/remote-write/recorder.ts"
import { until } from "../../../dev/testing/until.ts"

const LAUNCHER = join(import.meta.dirname, "../../../bin/fedstack")

export interface Chain {
  readonly cortex: RunningCortex
  /** Between the sender and the proxy: what the proxy acknowledged. */
  readonly received: Recorder
  readonly proxy: RunningProxy
  /** Between the proxy and Cortex: what Cortex accepted, and how often. */
  readonly forwarded: Recorder
  /** For senders. */
  readonly url: string
}

export interface ChainOptions extends CortexOptions {
  /** Of the proxy. */
  readonly proxyFlags?: readonly string[]
  /** Between the proxy and Cortex. */
  readonly intercept?: RecorderOptions["intercept"]
  /** Where the recorder between the proxy and Cortex listens. */
  readonly address?: string
}

/** Recorder, proxy, recorder and a real Cortex, one behind the other; undefined where there is no Cortex. */
export async function startChain(t: TestContext, options: ChainOptions = {}): Promise<Chain | undefined> {
  const program = need(t, findCortex())
  if (program === undefined) return undefined
  const { proxyFlags = [], intercept, address, ...ofCortex } = options
  const cortex = await startCortex(t, program, ofCortex)
  const forwarded = await startRecorder({
    port: () => cortex.port,
    ...(address !== undefined && { address }),
    ...(intercept !== undefined && { intercept }),
  })
  t.after(() => forwarded.close())
  const proxy = await startProxy(t, [`--ingester-upstream-url=${forwarded.url}/api/v1/push`, ...proxyFlags])
  const received = await startRecorder({ port: () => proxy.port })
  t.after(() => received.close())
  return { cortex, forwarded, proxy, received, url: `${received.url}/api/v1/write` }
}

export interface RunningProxy {
  readonly port: number
  /** The process of now. */
  child(): Child
  /** SIGKILL or SIGTERM; its exit code or signal. */
  stop(signal: NodeJS.Signals): Promise<number | string>
  start(): Promise<void>
}

/** `fedstack tenancy-proxy` as users start it, on a port that it keeps. */
export async function startProxy(t: TestContext, flags: readonly string[]): Promise<RunningProxy> {
  const port = await freePort()
  const launch = async (): Promise<Child> => {
    const child = start(LAUNCHER, ["tenancy-proxy", `--port=${port}`, ...flags])
    await until("the proxy to be ready", async () => {
      if (child.process.exitCode !== null) return true
      return (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok
    })
    if (child.process.exitCode !== null) throw new Error(`the proxy ended: ${child.output()}`)
    return child
  }
  let child = await launch()
  t.after(() => child.stop("SIGKILL"))
  return {
    port,
    child: () => child,
    stop: (signal) => child.stop(signal),
    async start() {
      child = await launch()
    },
  }
}
