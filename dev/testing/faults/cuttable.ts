import { execFileSync } from "node:child_process"

/** An address of this machine that can be cut off: packets to it then vanish, and no error is sent. */
export interface Cuttable {
  readonly address: string
  cut(): void
  heal(): void
}

const ADDRESS = "192.0.2.1"

/** Only within one of namespace.ts. */
export function cuttable(): Cuttable {
  const ip = (...args: readonly string[]): void => void execFileSync("ip", args)
  // where packets go while no interface has the address: to a neighbour that does not take them
  ip("link", "add", "void0", "type", "veth", "peer", "name", "void1")
  for (const link of ["void0", "void1"]) ip("link", "set", link, "arp", "off", "up")
  ip("route", "add", `${ADDRESS}/32`, "dev", "void0")
  const heal = (): void => ip("address", "add", `${ADDRESS}/32`, "dev", "lo")
  heal()
  return { address: ADDRESS, cut: () => ip("address", "del", `${ADDRESS}/32`, "dev", "lo"), heal }
}
