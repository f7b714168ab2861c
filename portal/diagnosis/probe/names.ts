import { Resolver } from "node:dns/promises"
import { readFile } from "node:fs/promises"
import { isIP } from "node:net"
import { unlessAborted } from "#core/retry/deadline.ts"

/** Why a name has no address. */
type NameFailure =
  /** NXDOMAIN, or a name without any address. */
  | "not_found"
  | "servfail"
  /** The name server refuses to look for it. */
  | "denied"
  | "timeout"
  /** No name server listens there. */
  | "unreachable"
  | "malformed"

export type Resolution =
  | { readonly kind: "found"; readonly addresses: readonly string[]; readonly from: "hosts" | "dns" }
  | { readonly kind: "failed"; readonly failure: NameFailure; readonly servers: readonly string[] }

/** Never rejects but with the reason of an aborted signal. */
export type ResolveName = (host: string, signal: AbortSignal) => Promise<Resolution>

interface ResolverOptions {
  readonly hostsFile?: string
  readonly configFile?: string
  /** In place of those of the system. */
  readonly servers?: readonly string[]
}

/** Of the first attempt; the second takes twice as long. Both end before a probe does, which then can name the server. */
const TIMEOUT = 1000

/**
 * Resolves names as Prometheus does, which is built without the system's resolver: by the hosts file, then by DNS with the
 * search domains of resolv.conf. The system's own would take one of the few threads that read files, for as long as a name
 * server is silent, and tell failures less well apart.
 */
export function nameResolver({
  hostsFile = "/etc/hosts",
  configFile = "/etc/resolv.conf",
  servers,
}: ResolverOptions = {}): ResolveName {
  return async (host, signal) => {
    const [hosts, config] = await Promise.all([textOf(hostsFile), textOf(configFile)])
    const listed = addressesInHosts(hosts, host)
    if (listed.length > 0) return { kind: "found", addresses: listed, from: "hosts" }
    const resolver = new Resolver({ timeout: TIMEOUT, tries: 2 })
    if (servers !== undefined) resolver.setServers(servers)
    const cancel = (): void => resolver.cancel()
    signal.addEventListener("abort", cancel, { once: true })
    try {
      const failures: NameFailure[] = []
      for (const name of candidates(host, config)) {
        const resolved = await unlessAborted(resolveOne(resolver, name), signal)
        if (typeof resolved !== "string") return { kind: "found", addresses: resolved, from: "dns" }
        failures.push(resolved)
      }
      const failure = failures.find((one) => one !== "not_found") ?? "not_found"
      return { kind: "failed", failure, servers: resolver.getServers() }
    } finally {
      signal.removeEventListener("abort", cancel)
    }
  }
}

const textOf = (file: string): Promise<string> => readFile(file, "utf8").catch(() => "") // as where there is none

/** Both families at once; IPv4 first, since more portals have it. */
async function resolveOne(resolver: Resolver, name: string): Promise<readonly string[] | NameFailure> {
  const [v4, v6] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  const addresses = [v4, v6].flatMap((result) => (result.status === "fulfilled" ? result.value : []))
  if (addresses.length > 0) return addresses
  const failures = [v4, v6].flatMap((result) => (result.status === "rejected" ? failureOf(result.reason) : []))
  return failures.find((failure) => failure !== "not_found") ?? "not_found"
}

const BY_CODE: Readonly<Record<string, NameFailure>> = {
  ENOTFOUND: "not_found",
  ENODATA: "not_found",
  ESERVFAIL: "servfail",
  EREFUSED: "denied",
  ENOTIMP: "denied",
  ETIMEOUT: "timeout",
  ECANCELLED: "timeout",
  ECONNREFUSED: "unreachable",
  EBADNAME: "not_found",
}

const failureOf = (error: unknown): NameFailure =>
  (error instanceof Error && "code" in error ? BY_CODE[String(error.code)] : undefined) ?? "malformed"

function addressesInHosts(text: string, host: string): readonly string[] {
  const wanted = host.toLowerCase().replace(/\.$/, "")
  return text.split("\n").flatMap((line) => {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/)
    return isIP(address) !== 0 && names.some((name) => name.toLowerCase() === wanted) ? [address] : []
  })
}

/** Names beyond these are not tried. */
const MOST_CANDIDATES = 7

/** The names that a resolver tries, in its order (resolv.conf(5)). */
function candidates(host: string, config: string): readonly string[] {
  if (host.endsWith(".")) return [host]
  const values = (key: string): string =>
    config
      .split("\n")
      .map((line) => new RegExp(`^\\s*${key}\\s+(.*)$`).exec(line)?.[1])
      .findLast((found) => found !== undefined) ?? ""
  const search = (values("search") || values("domain")).split(/\s+/).filter((domain) => domain !== "" && domain !== ".")
  const ndots = Number(/\bndots:(\d+)/.exec(values("options"))?.[1] ?? 1)
  const searched = search.map((domain) => `${host}.${domain}`)
  const ordered = host.split(".").length > ndots ? [host, ...searched] : [...searched, host]
  return ordered.slice(0, MOST_CANDIDATES)
}
