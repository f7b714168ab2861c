import { createSecureContext, type SecureContext } from "node:tls"
import type { Agent } from "undici"
import type { Closable } from "#core/closable.ts"
import { Faults } from "#core/config/faults.ts"
import { explain } from "#core/errors.ts"
import { readText, type ReadText } from "#core/files/read-text.ts"
import { type AgentOptions, openAgent } from "./agent.ts"
import { certificateIn } from "./pem.ts"

/** Files with PEM: the authorities that servers' certificates must be of, and the certificate that is shown to servers. */
export interface TlsFiles {
  readonly ca: string | undefined
  readonly cert: string | undefined
  /** undefined: it stands in the file of the certificate. */
  readonly key: string | undefined
}

export interface TlsMaterial {
  readonly content: string
  readonly secureContext: SecureContext
}

/** Throws ConfigurationError with every fault; `settings` are the names by which the files were given. */
export function readTlsFiles(
  files: TlsFiles,
  settings: Readonly<Partial<Record<keyof TlsFiles, string>>> = {},
  read: ReadText = readText,
): TlsMaterial {
  const faults = new Faults()
  const kinds = (["ca", "cert", "key"] as const).filter((kind) => files[kind] !== undefined)
  const add = (concerned: readonly (keyof TlsFiles)[], message: string): void => {
    const list = concerned.map((kind) => files[kind]).join(" and ")
    const named = concerned.flatMap((kind) => settings[kind] ?? []).join(" and ")
    faults.add(named === "" ? list : named, named === "" ? message : `${list} ${message}`)
  }
  const [ca, cert, key] = (["ca", "cert", "key"] as const).map((kind) => {
    const file = files[kind]
    return file === undefined ? undefined : faults.collect(() => read(file, settings[kind]))
  })
  // without this, a file without a certificate would only show as an authority that is not known
  if (ca !== undefined && certificateIn(ca) === undefined) add(["ca"], "holds no certificate in PEM format")
  faults.orThrow()
  try {
    const secureContext = createSecureContext({ ca, cert, key: key ?? cert })
    return { content: JSON.stringify([ca, cert, key]), secureContext }
  } catch (error) {
    add(kinds, `cannot be used: ${explain(error)}`)
    throw faults.toError()
  }
}

/** Connections with what stands in TLS files. */
export interface TlsAgents extends Closable {
  /** Other connections than before where the content is another. Those before end with their last request. */
  open(tls: TlsMaterial): Agent
}

export function tlsAgents(options: Omit<AgentOptions, "secureContext">): TlsAgents {
  let known: { readonly content: string; readonly agent: Agent } | undefined
  const agents = new Set<Agent>()
  return {
    open({ content, secureContext }) {
      if (known?.content === content) return known.agent
      const retired = known?.agent
      void retired?.close().then(() => agents.delete(retired))
      const agent = openAgent({ ...options, secureContext })
      agents.add(agent)
      known = { content, agent }
      return agent
    },
    async close() {
      await Promise.all([...agents].map((agent) => agent.destroy()))
    },
  }
}
