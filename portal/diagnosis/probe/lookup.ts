import { isIPv6, type LookupFunction } from "node:net"
import { isLocalToTheMachine } from "./addresses.ts"
import type { ResolveName } from "./names.ts"

/** Leads every name to the address that was checked before: a name may resolve to another one the next time. */
export const pinnedTo =
  (address: string): LookupFunction =>
  (_, options, callback) =>
    handOver([address], options, callback)

/** Resolves a name and leaves out what is local to the machine. */
export const guarded =
  (resolve: ResolveName, signal: AbortSignal): LookupFunction =>
  (host, options, callback) =>
    void allowedAddresses(resolve, host, signal).then((found) => {
      // thrown where a promise would take it, an error of the caller would be lost
      setImmediate(() => (found instanceof Error ? callback(found, "", 0) : handOver(found, options, callback)))
    })

async function allowedAddresses(
  resolve: ResolveName,
  host: string,
  signal: AbortSignal,
): Promise<readonly string[] | NodeJS.ErrnoException> {
  try {
    const result = await resolve(host, signal)
    const addresses = result.kind === "found" ? result.addresses.filter((one) => !isLocalToTheMachine(one)) : []
    if (addresses.length > 0) return addresses
    const missing = result.kind === "found" || result.failure === "not_found"
    const code = missing ? "ENOTFOUND" : "EAI_AGAIN"
    return Object.assign(new Error(`no address of ${host}`), { code })
  } catch (error) {
    return error as Error
  }
}

function handOver(
  addresses: readonly string[],
  { all = false }: Parameters<LookupFunction>[1],
  callback: Parameters<LookupFunction>[2],
): void {
  const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
  const [first] = found
  if (all) callback(null, found)
  else callback(null, first?.address ?? "", first?.family ?? 0)
}
