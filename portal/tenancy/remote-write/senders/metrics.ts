import type { Registry } from "prom-client"
import { createShow } from "../show-numbers.ts"
import type { Senders } from "./sender.ts"

/** What is counted of a sender. */
class SenderNumbers {
  /** In milliseconds of Unix time; 0: nothing yet. */
  lastWrite = 0
  series = 0
  setAside = 0
}

/** What each sender writes: as many as entries in the files. The portal shows by it how the sites are that push. `now`: milliseconds of Unix time. */
export function createSenderMetrics(registry: Registry, now: () => number) {
  const show = createShow(registry)
  const numbers = new Map<string, SenderNumbers>()
  const rows = (value: (one: SenderNumbers) => number) => () =>
    numbers.entries().map(([name, one]) => [value(one), name] as const)
  const prefix = "fedstack_tenancy_proxy_sender"
  show(
    `${prefix}_last_write_timestamp_seconds`,
    "When an upstream last accepted series of each sender, in Unix time; 0: not since this process began.",
    ["sender"],
    rows(({ lastWrite }) => lastWrite / 1000),
  )
  show(
    `${prefix}_series_total`,
    "Series of each sender that upstreams accepted, counted in each request and for each tenant.",
    ["sender"],
    rows(({ series }) => series),
  )
  show(
    `${prefix}_set_aside_series_total`,
    "Series of each sender that were not sent to any upstream: not shared, not for its tenants, or malformed.",
    ["sender"],
    rows(({ setAside }) => setAside),
  )
  return {
    /** Shows these senders, and no others. */
    list({ senders }: Pick<Senders, "senders">): void {
      const names = new Set(senders.map(({ name }) => name))
      for (const name of numbers.keys()) if (!names.has(name)) numbers.delete(name)
      for (const name of names) if (!numbers.has(name)) numbers.set(name, new SenderNumbers())
    },
    /** A request was handled: of its series so many were accepted, and so many set aside. */
    wrote(sender: string, accepted: number, setAside: number): void {
      const one = numbers.get(sender)
      if (one === undefined) return
      if (accepted > 0) one.lastWrite = now()
      one.series += accepted
      one.setAside += setAside
    },
  }
}
