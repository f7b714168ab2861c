import { createSecureContext } from "node:tls"
import { Agent } from "undici"
import { ConfigurationError, explain } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"
import type { TlsFiles } from "./access.ts"

/** Connections that are kept open to each service. */
const CONNECTIONS = 8

interface Pem {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** Connections with the authority and the client certificate of the files, made anew when what stands in them changed. */
export interface Connections {
  /** Throws ConfigurationError if a file can't be read or holds something else. */
  open(files: TlsFiles): Agent
  close(): Promise<void>
}

export function openConnections(): Connections {
  let known: { readonly content: string; readonly agent: Agent } | undefined
  const retired: Promise<void>[] = []
  return {
    open(files) {
      const pem = readPem(files)
      const content = JSON.stringify(pem)
      if (known?.content === content) return known.agent
      if (known !== undefined) retired.push(known.agent.close())
      known = { content, agent: new Agent({ connections: CONNECTIONS, allowH2: false, connect: { ...pem } }) }
      return known.agent
    },
    async close() {
      await Promise.all([...retired, known?.agent.destroy()])
    },
  }
}

function readPem({ ca, cert, key }: TlsFiles): Pem {
  const pem: { ca?: string; cert?: string; key?: string } = {}
  if (ca !== undefined) {
    pem.ca = readText(ca, "OS_CACERT")
    // without this, a file without a certificate would only show as an authority that is not known
    if (!pem.ca.includes("-----BEGIN CERTIFICATE-----")) fault(ca, "holds no certificate in PEM (OS_CACERT)")
    check(ca, "OS_CACERT", { ca: pem.ca })
  }
  if (cert !== undefined) {
    pem.cert = readText(cert, "OS_CERT")
    pem.key = key === undefined ? pem.cert : readText(key, "OS_KEY") // both may stand in one file
    check(cert, "OS_CERT and OS_KEY", pem)
  }
  return pem
}

function check(file: string, names: string, pem: Pem): void {
  try {
    createSecureContext(pem)
  } catch (error) {
    fault(file, `can't be used (${names}): ${explain(error)}`)
  }
}

function fault(where: string, message: string): never {
  throw new ConfigurationError([{ where, message }])
}
