import type { AgentOptions, RequestOptions as HttpsOptions } from "node:https"
import { Agent, type buildConnector, type Dispatcher, ProxyAgent } from "undici"
import type { Closable } from "#core/closable.ts"
import { explain } from "#core/errors.ts"
import {
  fetchStream,
  fetchText,
  type RequestAddress,
  type RequestOptions,
  type ResponseHead,
  type StreamResponse,
} from "#core/http/client.ts"
import type { KubeConfig } from "./client-node.ts"
import { credentialsOf } from "./credentials.ts"
import { type KubernetesError, noResponse, type Status, statusError } from "./errors.ts"
import { type ClusterSource, readKubeconfig } from "./kubeconfig.ts"
import type { KubernetesRequest } from "./resource.ts"

/** A Kubernetes API. Every failure is a KubernetesError, or the signal's reason where that was aborted. */
export interface KubernetesApi extends Closable {
  /** Of the context, or of the pod: where a component looks that is given no other. */
  readonly namespace: string
  /** The whole response as parsed JSON. */
  send(request: KubernetesRequest, signal: AbortSignal): Promise<unknown>
  /** A response that has begun. It ends with an error when nothing came for `silence` seconds. */
  stream(request: KubernetesRequest, signal: AbortSignal, silence: number): Promise<StreamResponse>
}

/** Seconds. */
const DEADLINE = 30
const CREDENTIALS_KEPT = 60
/** Bytes: 500 objects of the largest size are far more, but no list consists of them. */
const LIMIT = 134_217_728
const LONGEST_WAIT = 60

/** Opens no connection yet. Throws UsageError where no usable cluster is configured. */
export async function openKubernetes(source: ClusterSource): Promise<KubernetesApi> {
  const dispatchers = new Set<Dispatcher>()
  let newest: Dispatcher | undefined

  /** Everything anew: kubeconfig, tokens and certificates may have been rotated. */
  const open = async () => {
    const config = await readKubeconfig(source)
    const { cluster, options: given } = await credentialsOf(config)
    const [old, dispatcher] = [newest, dispatcherOf(config.createDispatcherOptions(cluster, given as AgentOptions))]
    void old?.close().then(() => dispatchers.delete(old)) // when its last response is over
    newest = dispatcher
    dispatchers.add(dispatcher)
    until = performance.now() + CREDENTIALS_KEPT * 1000
    return {
      server: cluster.server,
      namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? "default",
      headers: headersOf(given),
      dispatcher,
    }
  }
  let session: ReturnType<typeof open> | undefined
  let until = 0
  const forget = (opening: typeof session): void => {
    if (session === opening) session = undefined
  }
  /** In place of `replaced`. Of several requests the first one opens for all: each opening closes what the one before made. */
  const renew = (replaced: typeof session): ReturnType<typeof open> => {
    if (session !== undefined && session !== replaced) return session
    const opening = open()
    session = opening
    until = Number.POSITIVE_INFINITY
    opening.catch(() => forget(opening))
    return opening
  }
  const current = (): ReturnType<typeof open> =>
    session === undefined || performance.now() >= until ? renew(session) : session

  /** Repeated with new credentials where those that were kept are refused. */
  const transmit = async <R extends ResponseHead & Partial<Disposable>>(
    given: KubernetesRequest,
    signal: AbortSignal,
    fetch: (address: RequestAddress, options: RequestOptions) => Promise<R>,
  ): Promise<R> => {
    const { verb, path, body } = given
    const attempt = async (opening: ReturnType<typeof open>): Promise<R> => {
      try {
        const { server, headers, dispatcher } = await opening
        return await fetch(addressOf(server, path), {
          method: METHODS[verb],
          dispatcher,
          headers: { ...headers, ...(body && { "content-type": body.contentType }) },
          ...(body && { body: JSON.stringify(body.value) }),
        })
      } catch (error) {
        forget(opening) // a certificate may have changed
        signal.throwIfAborted()
        throw noResponse(given, explain(error))
      }
    }
    const opening = current()
    const response = await attempt(opening)
    if (response.status !== 401) return response
    response[Symbol.dispose]?.()
    return attempt(renew(opening))
  }

  const { namespace } = await current()
  return {
    namespace,
    async send(given, signal) {
      const response = await transmit(given, signal, (address, options) =>
        fetchText(address, { ...options, signal, deadline: DEADLINE, limit: LIMIT }),
      )
      if (isSuccess(response)) return parseJson(given, response.body)
      throw statusFailure(given, response, response.body)
    },
    async stream(given, signal, silence) {
      const response = await transmit(given, signal, (address, options) =>
        fetchStream(address, { ...options, lifetime: signal, begin: DEADLINE, silence }),
      )
      if (isSuccess(response)) return response
      using refused = response
      throw statusFailure(given, refused, await refused.text(LIMIT))
    },
    async close() {
      await Promise.all([...dispatchers].map((dispatcher) => dispatcher.destroy()))
    },
  }
}

const METHODS = {
  get: "GET",
  list: "GET",
  watch: "GET",
  create: "POST",
  update: "PUT",
  patch: "PATCH",
  delete: "DELETE",
} as const

/** A URL would resolve `..` in a path, which may be the name that a user gave an object. */
function addressOf(server: string, path: string): RequestAddress {
  const { origin, pathname } = new URL(server)
  const [below = "", query] = path.split("?")
  return { origin, pathname: pathname.replace(/\/$/, "") + below, search: query === undefined ? "" : `?${query}` }
}

type DispatcherOptions = ReturnType<KubeConfig["createDispatcherOptions"]>

/** HTTP/1.1 only: a watch whose connection is dead ends with it, while one of HTTP/2 is used on by those that follow. */
function dispatcherOf(options: DispatcherOptions): Dispatcher {
  if (options.type === "socks") throw new Error("credentialsOf accepts no such proxy-url")
  if (options.type === "none") return new Agent({ allowH2: false })
  // the same type, but for what `undefined` means
  const connect = options.connect as buildConnector.BuildOptions
  if (options.type === "agent") return new Agent({ connect, allowH2: false })
  const requestTls = options.requestTls as buildConnector.BuildOptions
  return new ProxyAgent({ uri: options.uri, requestTls, connect, allowH2: false })
}

function headersOf({ headers = {}, auth }: HttpsOptions): Record<string, string> {
  const basic = auth === undefined ? {} : { authorization: `Basic ${Buffer.from(String(auth)).toString("base64")}` }
  const ofUser = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value).trim()])
  return { "user-agent": "fedstack", accept: "application/json", ...basic, ...Object.fromEntries(ofUser) }
}

const isSuccess = ({ status }: ResponseHead): boolean => status >= 200 && status < 300

function statusFailure(given: KubernetesRequest, { status, headers }: ResponseHead, body: string): KubernetesError {
  const wait = Math.min(Number(headers["retry-after"]) || 0, LONGEST_WAIT)
  let details: Status | null = null
  try {
    details = JSON.parse(body) as Status | null
  } catch {
    // bodies of others, such as a proxy in between, are not repeated
  }
  return statusError(given, status, details ?? {}, wait)
}

function parseJson(given: KubernetesRequest, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = explain(error).slice(0, 200)
    throw noResponse(given, `the response is not JSON, is this a Kubernetes API? ${reason}`)
  }
}
