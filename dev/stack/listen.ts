import { setTimeout as delay } from "node:timers/promises"
import { FREE } from "./ports.ts"
import { died, type Process, type Program } from "./processes.ts"
import type { Run } from "./run.ts"
import { freePort } from "../testing/free-port.ts"

/** The log line in which Prometheus and our own components report where they listen. */
const LISTENING = /msg=(?:"Listening on"|listening) .*?127\.0\.0\.1:(\d+)/g
const BUSY = /address already in use|another process uses it/

type Starting = Pick<Run, "processes" | "progress" | "signal">

/**
 * Starts a program that listens on `port`, or on a free port where that one is busy: the program itself finds out, so
 * that another dev/up cannot take the port between asking and using. Returns its URL once it listens. Throws CHILD_DIED.
 */
export async function startListening(run: Starting, port: number, program: (port: number) => Program): Promise<string> {
  const { name } = program(port)
  run.progress.update(`starting ${name}`)
  const child = run.processes.start(program(port))
  const found = await listening(child, port, run.signal)
  if ("port" in found) return accept(run, child, found.port)
  if (port === FREE || !BUSY.test(await child.log())) throw await died(child, found.ended)

  const other = await freePort()
  run.progress.say(`Port ${port} is in use; ${name} listens on ${other} instead.`)
  const second = run.processes.start(program(other))
  const again = await listening(second, other, run.signal)
  if (!("port" in again)) throw await died(second, again.ended)
  return accept(run, second, other)
}

function accept({ processes }: Starting, child: Process, port: number): string {
  processes.watch(child)
  return `http://127.0.0.1:${port}`
}

/** The wanted port (a program may listen on others too), or the first one where any is right; or how it ended. */
async function listening(
  child: Process,
  wanted: number,
  signal: AbortSignal,
): Promise<{ readonly port: number } | { readonly ended: string }> {
  let ended: string | undefined
  void child.ended.then((how) => (ended = how))
  for (;;) {
    const ports = [...(await child.log()).matchAll(LISTENING)].map(([, port]) => Number(port))
    const port = wanted === FREE ? ports[0] : ports.find((candidate) => candidate === wanted)
    if (port !== undefined) return { port }
    if (ended !== undefined) return { ended }
    await delay(25, undefined, { signal })
  }
}
