import { BlockList, isIP, isIPv6 } from "node:net"
import { type Parse, Wrong } from "#core/config/settings.ts"

/** Addresses that begin alike; an IPv4 address is the same where a socket shows it as IPv6. */
export interface Network {
  readonly text: string
  contains(address: string): boolean
}

export const network: Parse<Network> = (given) => {
  const text = given.trim()
  const [address = "", length, ...more] = text.split("/")
  const bits = isIPv6(address) ? 128 : 32
  const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN
  if (isIP(address) === 0 || address.includes("%") || more.length > 0 || !(prefix <= bits))
    return new Wrong("must be addresses such as 10.1.2.0/24, 192.0.2.7 or 2001:db8::/64")
  if (prefix === 0) return new Wrong("would trust every address: name the network of the proxy alone")
  const list = new BlockList()
  list.addSubnet(address, prefix, familyOf(address))
  return {
    text,
    contains(other) {
      const [plain = ""] = other.split("%", 1)
      return isIP(plain) !== 0 && list.check(plain, familyOf(plain))
    },
  }
}

const familyOf = (address: string): "ipv4" | "ipv6" => (isIPv6(address) ? "ipv6" : "ipv4")
