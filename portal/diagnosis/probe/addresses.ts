import { BlockList, isIP, isIPv4 } from "node:net"

/**
 * Addresses that belong to the machine that connects, not to a site: link-local ones, where clouds serve credentials, and
 * those of metadata services outside them. A name that a site controls must not lead the portal there.
 */
const LOCAL_TO_THE_MACHINE = new BlockList()
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
  ["100.100.100.200", 32], // Alibaba Cloud
  ["168.63.129.16", 32], // Azure
  ["192.0.0.192", 32], // Oracle Cloud
  ["224.0.0.0", 3], // multicast and reserved
] as const) {
  LOCAL_TO_THE_MACHINE.addSubnet(network, prefix, "ipv4")
}
for (const [network, prefix] of [
  ["::", 128],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
  ["fd00:ec2::254", 128], // AWS
  ["fd20:ce::254", 128], // Google Cloud
  ["fd00:42::42", 128], // Scaleway
  ["64:ff9b::a9fe:0", 112], // 169.254.0.0/16 by NAT64
  ["2002:a9fe::", 32], // and by 6to4
] as const) {
  LOCAL_TO_THE_MACHINE.addSubnet(network, prefix, "ipv6")
}

/** Whether a name must not lead there; IPv4 addresses also as IPv6 writes them. */
export function isLocalToTheMachine(address: string): boolean {
  const [plain = ""] = address.split("%", 1)
  return isIP(plain) === 0 || LOCAL_TO_THE_MACHINE.check(plain, isIPv4(plain) ? "ipv4" : "ipv6")
}

/** The host of a URL as addresses are written: IPv6 without brackets. */
export const hostnameOf = ({ hostname }: Pick<URL, "hostname">): string => hostname.replace(/^\[(.*)\]$/, "$1")

export const portOf = ({ port, protocol }: Pick<URL, "port" | "protocol">): number =>
  port === "" ? (protocol === "https:" ? 443 : 80) : Number(port)

/** `192.0.2.1:443`, `[2001:db8::1]:443`. */
export const withPort = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`
