import { describeClients } from "#core/federation/describe.ts"
import type { Policy } from "./types.ts"

/** A policy for people, without secrets: where series come from, and what each client may read. */
export const describePolicy = (file: string, policy: Policy, now: Date): string =>
  describeClients(file, policy, now, showUpstreams(policy))

const showUpstreams = ({ upstreams, path, accesses }: Policy): string =>
  `upstream ${upstreams
    .map(({ href }) => {
      const access = accesses.get(href)
      return `${href.replace(/\/$/, "")}${path}${access === undefined ? "" : ` (${access.shown || "with TLS settings"})`}`
    })
    .join(", then ")}`
