import { createHash } from "node:crypto"
import { configOfRouting } from "./routing/create-routing.ts"
import type { Routing } from "./routing/routing.ts"
import type { Sender } from "./senders/sender.ts"

const routings = new WeakMap<Routing, string>()
const senders = new WeakMap<Sender, string>()

/**
 * Names what decides where series of a sender go: the same in every worker, and after a reload that changed nothing of it.
 * What was remembered of a request holds only for the rules by which it was split.
 */
export function rulesId(routing: Routing, sender: Sender | undefined): string {
  const own = sender === undefined ? "" : kept(senders, sender, () => [sender.tenant, sender.tenants, sender.rules])
  return `${kept(routings, routing, () => configOfRouting(routing))} ${own}`
}

function kept<K extends object>(ids: WeakMap<K, string>, key: K, content: () => unknown): string {
  let id = ids.get(key)
  if (id === undefined) ids.set(key, (id = hash(content())))
  return id
}

const hash = (content: unknown): string => createHash("sha256").update(JSON.stringify(content, plain)).digest("base64")

const plain = (_: string, value: unknown): unknown =>
  value instanceof Map || value instanceof Set ? [...(value as Iterable<unknown>)] : value
