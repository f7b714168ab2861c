import { setTimeout as delay } from "node:timers/promises"
import { FREE } from "./ports.ts"
import { died, type Process, type Program } from "./processes.ts"
import type { Run } from "./run.ts"
import { Service } from "./service.ts"
import { freePort } from "../testing/free-port.ts"

/** The log line in which Prometheus and our own components report where they listen. */
const LISTENING = /msg=(?:"Listening on"|listening) .*?127\.0\.0\.1:(\d+)/g
const BUSY = /address already in use|another process uses it/

type Starting = Pick<Run, "processes" | "progress" | "strict" | "signal">
/** `second` is the port of its second listener; any where it is not given. */
type ProgramAt = (port: number, second?: number) => Program

export interface Listening {
  readonly url: string
  /** Of the second listener, where there is one. */
  readonly secondUrl: string
  readonly service: Service
}

/**
 * Starts a program that listens on `port`, or on a free port where that one is busy: the program itself finds out, so
 * that another dev/up cannot take the port between asking and using. Returns once it listens; from then on it is started
 * again, on the same ports, where it ends. Throws CHILD_DIED.
 */
export async function startListening(
  run: Starting,
  port: number,
  program: ProgramAt,
  listeners: 1 | 2 = 1,
): Promise<Listening> {
  const { name } = program(port)
  run.progress.update(`starting ${name}`)
  const child = run.processes.start(program(port))
  const found = await listening(child, port, listeners, run.signal)
  if ("ports" in found) return accept(run, child, program, found.ports)
  if (port === FREE || !BUSY.test(await child.log())) throw await died(child, found.ended)

  const before = (await child.log()).length
  const other = await freePort()
  run.progress.say(`Port ${port} is in use; ${name} listens on ${other} instead.`)
  const second = run.processes.start(program(other))
  const again = await listening(second, other, listeners, run.signal, before)
  if (!("ports" in again)) throw await died(second, again.ended)
  return accept(run, second, program, again.ports)
}

function accept(run: Starting, child: Process, program: ProgramAt, [port = 0, second]: readonly number[]): Listening {
  const urlOf = (at: number | undefined): string => `http://127.0.0.1:${at}`
  return { url: urlOf(port), secondUrl: urlOf(second), service: new Service(run, program(port, second), child) }
}

/** The wanted port, or the first one where any is right, and then the other ones; or how it ended. `from`: of its log. */
async function listening(
  child: Process,
  wanted: number,
  listeners: number,
  signal: AbortSignal,
  from = 0,
): Promise<{ readonly ports: readonly number[] } | { readonly ended: string }> {
  let ended: string | undefined
  void child.ended.then((how) => (ended = how))
  for (;;) {
    const ports = [...new Set([...(await child.log()).slice(from).matchAll(LISTENING)].map(([, port]) => Number(port)))]
    const port = wanted === FREE ? ports[0] : ports.find((candidate) => candidate === wanted)
    if (port !== undefined && ports.length >= listeners)
      return { ports: [port, ...ports.filter((candidate) => candidate !== port)] }
    if (ended !== undefined) return { ended }
    await delay(25, undefined, { signal })
  }
}
