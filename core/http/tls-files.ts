import { createSecureContext, type SecureContextOptions } from "node:tls"
import type { Agent } from "undici"
import { Faults } from "#core/config/faults.ts"
import { explain } from "#core/errors.ts"
import { readText, type ReadText } from "#core/files/read-text.ts"
import { type AgentOptions, openAgent } from "./agent.ts"
import { certificateIn, faultsOfPair } from "./pem.ts"

/** Files with PEM: the authorities that servers' certificates must be of, and the certificate that is shown to servers. */
export interface TlsFiles {
  readonly ca: string | undefined
  readonly cert: string | undefined
  /** undefined: it stands in the file of the certificate. */
  readonly key: string | undefined
}

/**
 * Options of a context that trusts these certificates and no others, each by itself, as Prometheus does: they may be the
 * issuing authority alone. Undefined: the authorities that Node knows.
 */
export function trusting(ca: string | undefined): SecureContextOptions {
  return ca === undefined ? {} : { ca, allowPartialTrustChain: true }
}

const KINDS = ["ca", "cert", "key"] as const

/** Throws ConfigurationError with every fault; `settings` are the names by which the files were given. */
export function readTlsFiles(
  files: TlsFiles,
  settings: Readonly<Partial<Record<keyof TlsFiles, string>>> = {},
  read: ReadText = readText,
) {
  const faults = new Faults()
  const add = (kinds: readonly (keyof TlsFiles)[], message: string): void => {
    const concerned = kinds.filter((kind) => files[kind] !== undefined)
    const list = concerned.map((kind) => files[kind]).join(" and ")
    const named = concerned.flatMap((kind) => settings[kind] ?? []).join(" and ")
    faults.add(named === "" ? list : named, named === "" ? message : `${list} ${message}`)
  }
  const [ca, cert, key] = KINDS.map((kind) => {
    const file = files[kind]
    return file === undefined ? undefined : faults.collect(() => read(file, settings[kind]))
  })
  // without this, a file without a certificate would only show as an authority that is not known
  if (ca !== undefined && certificateIn(ca) === undefined) add(["ca"], "holds no certificate in PEM format")
  for (const [of, message] of cert === undefined ? [] : faultsOfPair(cert, key ?? cert))
    add([of === "key" && key === undefined ? "cert" : of], message)
  faults.orThrow()
  try {
    const secureContext = createSecureContext({ ...trusting(ca), cert, key: key ?? cert })
    return { content: JSON.stringify([ca, cert, key]), secureContext }
  } catch (error) {
    add(KINDS, `cannot be used: ${explain(error)}`)
    throw faults.toError()
  }
}

/** Connections with what stands in TLS files. */
export function tlsAgents(options: Omit<AgentOptions, "secureContext">) {
  let known: { readonly content: string; readonly agent: Agent } | undefined
  return {
    /** Other connections than before where the content is another. Those before end with their last request. */
    open({ content, secureContext }: ReturnType<typeof readTlsFiles>): Agent {
      if (known?.content === content) return known.agent
      void known?.agent.close()
      known = { content, agent: openAgent({ ...options, secureContext }) }
      return known.agent
    },
    /** Those of before have a deadline. */
    close: async () => known?.agent.destroy(),
  }
}
