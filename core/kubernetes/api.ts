import type { AgentOptions, RequestOptions } from "node:https"
import { Agent, type buildConnector, type Dispatcher, ProxyAgent, request } from "undici"
import type { Closable } from "#core/closable.ts"
import { defineError, explain } from "#core/errors.ts"
import { noAnswer, type Status, statusError } from "./errors.ts"
import type { KubeConfig } from "./client-node.ts"
import { type ClusterSource, readKubeconfig } from "./kubeconfig.ts"
import { pathOf, type Question } from "./resource.ts"

/** A Kubernetes API. Every failure is a KubernetesError, or the signal's reason where that was aborted. */
export interface KubernetesApi extends Closable {
  /** A whole answer as parsed JSON. */
  read(question: Question, signal: AbortSignal): Promise<unknown>
  /** An answer that has begun with status 200. It ends with an error when nothing came for `silence` seconds. */
  stream(question: Question, signal: AbortSignal, silence: number): Promise<AsyncIterable<Buffer>>
}

const noSocks = defineError(
  "NO_SOCKS",
  500,
  "The kubeconfig's proxy-url {uri} is not supported: only http and https are.",
)

/** Seconds. */
const DEADLINE = 30
const CREDENTIALS_KEPT = 60
/** Bytes: 500 objects of the largest size are far more, but no list consists of them. */
const LIMIT = 134_217_728
const LONGEST_WAIT = 60

interface Session {
  readonly server: string
  readonly headers: Readonly<Record<string, string>>
  readonly dispatcher: Dispatcher
  readonly until: number
}

/** Opens no connection yet. Throws where there is no usable configuration. */
export async function openKubernetes(source: ClusterSource): Promise<KubernetesApi> {
  const dispatchers = new Set<Dispatcher>()
  let newest: Dispatcher | undefined
  let session: Promise<Session> | undefined

  /** Closed when its last answer is over. */
  const retire = (old: Dispatcher): void => {
    const close = async (): Promise<void> => {
      await old.close()
      dispatchers.delete(old)
    }
    void close()
  }
  /** Everything anew: kubeconfig, tokens and certificates may have been rotated. */
  const open = async (): Promise<Session> => {
    const config = await readKubeconfig(source)
    const cluster = config.getCurrentCluster()
    const given: RequestOptions = {}
    await config.applyToHTTPSOptions(given)
    if (newest !== undefined) retire(newest)
    newest = dispatcherOf(config.createDispatcherOptions(cluster, given as AgentOptions))
    dispatchers.add(newest)
    return {
      server: cluster?.server ?? "",
      headers: headersOf(given),
      dispatcher: newest,
      until: performance.now() + CREDENTIALS_KEPT * 1000,
    }
  }
  const renew = (): Promise<Session> => {
    const opening = open()
    session = opening
    opening.catch(() => (session === opening ? (session = undefined) : undefined))
    return opening
  }
  const current = async (): Promise<Session> => {
    const known = await session
    return known !== undefined && performance.now() < known.until ? known : renew()
  }

  const ask = async (question: Question, signal: AbortSignal, silence: number) => {
    const send = async ({ server, headers, dispatcher }: Session) => {
      try {
        const timeouts = { headersTimeout: DEADLINE * 1000, bodyTimeout: silence * 1000 }
        return await request(server + pathOf(question), { headers, dispatcher, signal, ...timeouts })
      } catch (error) {
        session = undefined // a certificate may have changed
        signal.throwIfAborted()
        throw noAnswer(question, `no answer from ${server}`, error)
      }
    }
    let answer = await send(await current())
    if (answer.statusCode === 401) {
      await answer.body.dump()
      answer = await send(await renew())
    }
    if (answer.statusCode === 200) return answer.body
    const text = await readText(question, answer.body, signal)
    const wait = Math.min(Number(answer.headers["retry-after"]) || 0, LONGEST_WAIT)
    throw statusError(question, answer.statusCode, messageIn(text), wait)
  }

  await current()
  return {
    async read(question, signal) {
      const deadline = AbortSignal.timeout(DEADLINE * 1000)
      const both = AbortSignal.any([signal, deadline])
      try {
        const text = await readText(question, await ask(question, both, DEADLINE), both)
        return parseJson(question, text)
      } catch (error) {
        signal.throwIfAborted()
        if (deadline.aborted) throw noAnswer(question, `no whole answer within ${DEADLINE} s`, undefined)
        throw error
      }
    },
    stream: ask,
    async close() {
      await Promise.all([...dispatchers].map((dispatcher) => dispatcher.destroy()))
    },
  }
}

type DispatcherOptions = ReturnType<KubeConfig["createDispatcherOptions"]>

/** HTTP/1.1 only: a watch whose connection is dead ends with it, while one of HTTP/2 is used on by those that follow. */
function dispatcherOf(options: DispatcherOptions): Dispatcher {
  if (options.type === "socks") throw noSocks({ uri: options.uri })
  if (options.type === "none") return new Agent({ allowH2: false })
  // the same type, but for what `undefined` means
  const connect = options.connect as buildConnector.BuildOptions
  if (options.type === "agent") return new Agent({ connect, allowH2: false })
  const requestTls = options.requestTls as buildConnector.BuildOptions
  return new ProxyAgent({ uri: options.uri, requestTls, connect, allowH2: false })
}

function headersOf({ headers = {}, auth }: RequestOptions): Record<string, string> {
  const basic = auth === undefined ? {} : { authorization: `Basic ${Buffer.from(String(auth)).toString("base64")}` }
  const ofUser = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value).trim()])
  return { "user-agent": "fedstack", accept: "application/json", ...basic, ...Object.fromEntries(ofUser) }
}

async function readText(question: Question, body: AsyncIterable<Buffer>, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of body) {
      bytes += chunk.length
      if (bytes > LIMIT) break
      chunks.push(chunk)
    }
  } catch (error) {
    signal.throwIfAborted()
    throw noAnswer(question, "the answer broke off", error)
  }
  if (bytes > LIMIT) throw noAnswer(question, `the answer is larger than ${LIMIT} bytes`)
  return Buffer.concat(chunks).toString("utf8")
}

function parseJson(question: Question, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw noAnswer(question, `the answer is not JSON, is this a Kubernetes API? ${explain(error).slice(0, 200)}`)
  }
}

/** Of a Status object; other bodies, such as those of a proxy in between, are not repeated. */
function messageIn(text: string): string {
  try {
    return (JSON.parse(text) as Status).message ?? "nothing"
  } catch {
    return "something that is no Status object"
  }
}
