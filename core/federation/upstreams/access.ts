import type { SecureContext } from "node:tls"
import type { Agent } from "undici"
import { openAgent } from "#core/http/agent.ts"

/** How the proxy identifies itself to an upstream, and which authority it trusts there. */
export interface UpstreamAccess {
  /** The header. */
  readonly authorization?: string | undefined
  readonly tls?: UpstreamTls | undefined
  /** In words, without any secret. */
  readonly shown: string
}

interface UpstreamTls {
  /** Of all files and the name: equal ones share connections. */
  readonly content: string
  readonly secureContext: SecureContext
  readonly serverName: string | undefined
}

/** By the href of an upstream; none for those that need nothing. */
export type Accesses = ReadonlyMap<string, UpstreamAccess>

/** Connections to upstreams, those with the same TLS settings together. */
export function openUpstreamAgents(connectTimeout: number) {
  const plain = openAgent({ connectTimeout })
  const byContent = new Map<string, Agent>()
  return {
    of({ tls }: Pick<UpstreamAccess, "tls">): Agent {
      if (tls === undefined) return plain
      const { content, secureContext, serverName } = tls
      const agent = byContent.get(content) ?? openAgent({ connectTimeout, secureContext, serverName })
      byContent.set(content, agent)
      return agent
    },
    /** Ends the others with their last request. */
    keep(accesses: Accesses): void {
      const kept = new Set([...accesses.values()].map(({ tls }) => tls?.content))
      for (const [content, agent] of byContent) {
        if (kept.has(content)) continue
        byContent.delete(content)
        void agent.close()
      }
    },
    async close(): Promise<void> {
      await Promise.all([plain, ...byContent.values()].map((agent) => agent.destroy()))
    },
  }
}
