import { Gauge, type Registry } from "prom-client"
import type { Senders } from "./sender.ts"

/** Shows when static tokens of senders expire. */
export function showExpiry(registry: Registry): (senders: Pick<Senders, "tokens">) => void {
  const expiry = new Gauge({
    name: "fedstack_tenancy_proxy_credential_expiry_timestamp_seconds",
    help: "When a token of the senders' file expires; +Inf: never.",
    labelNames: ["sender", "credential"],
    registers: [registry],
  })
  return ({ tokens }) => {
    expiry.reset()
    for (const { owner, where, notAfter } of tokens) {
      const end = notAfter === undefined ? Infinity : notAfter.getTime() / 1000
      expiry.set({ sender: owner.name, credential: where }, end)
    }
  }
}
