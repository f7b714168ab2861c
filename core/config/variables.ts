import { nearest } from "./nearest.ts"

const PREFIX = "FEDSTACK_"

/** What Kubernetes sets in every pod of a namespace, for each of its Services (kubernetes.io, "Environment variables"). */
const LINK_NAME = /_SERVICE_(?:HOST|PORT(?:_\w+)?)$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/
const LINK = /^(?:tcp|udp|sctp):\/\/(?:[\d.]+|\[[\da-f:.]+\]):\d+$/i

type Environment = Readonly<Record<string, string | undefined>>

/** A Service `fedstack` sets FEDSTACK_PORT to such a text as `tcp://10.0.0.1:9090`: it is no setting. */
export const isServiceLink = (name: string, value: string | undefined): boolean =>
  name.endsWith("_PORT") && LINK.test(value ?? "")

export interface UnknownVariable {
  readonly variable: string
  /** What may be meant, where one is near enough. */
  readonly nearest?: string
}

/** Those that look like a setting but are none of these. */
export function unknownVariables(env: Environment, settings: readonly string[]): readonly UnknownVariable[] {
  const known = (name: string): boolean =>
    settings.includes(name) || LINK_NAME.test(name) || isServiceLink(name, env[name])
  return Object.keys(env)
    .filter((name) => name.toUpperCase().startsWith(PREFIX) && (env[name] ?? "") !== "" && !known(name))
    .map((variable) => ({ variable, ...nearestTo(variable.toUpperCase(), settings) }))
}

function nearestTo(name: string, settings: readonly string[]): { nearest?: string } {
  const ours = settings.filter((setting) => setting.startsWith(PREFIX))
  // with more of it changed than kept, a name is another one
  const found = nearest(name, ours, (name.length - PREFIX.length) / 2)
  return found === undefined ? {} : { nearest: found }
}
