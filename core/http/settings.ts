import {
  type Address,
  listenAddress,
  setting,
  settings,
  text,
  tracked,
  type Values,
  whole,
  Wrong,
} from "#core/config/settings.ts"
import { Faults } from "#core/config/faults.ts"
import { UsageError } from "#core/errors.ts"

const GROUP = "Web server"

/** The flags of every component that listens. `users`: whether it takes basic_auth_users. */
export const webSettings = (defaultAddress: string, users = true) => ({
  webListenAddress: settings(
    listenAddress,
    { group: GROUP, flag: "--web.listen-address <host:port>", help: "Listen on this address; may be repeated" },
    [defaultAddress],
  ),
  webConfigFile: setting((file) => file || undefined, {
    group: GROUP,
    flag: "--web.config.file <file>",
    help: `Read TLS${users ? ", client certificates and users" : " and client certificates"} from this file, in the format of Prometheus' exporter-toolkit`,
  }),
})

export type WebValues = Values<ReturnType<typeof webSettings>>

/** The same on 127.0.0.1, with the two flags by which programs that a component replaces choose the address. */
export const webSettingsWithPort = (defaultPort: number) => {
  const web = webSettings(`127.0.0.1:${defaultPort}`)
  return {
    ...web,
    webListenAddress: tracked(web.webListenAddress),
    port: tracked(
      setting(
        whole(0, 65_535),
        {
          group: GROUP,
          flag: "--port <number>",
          help: "Listen on this port; or use --web.listen-address",
          shorthand: true,
        },
        String(defaultPort),
      ),
    ),
    interface: tracked(
      setting(
        text,
        {
          group: GROUP,
          flag: "--interface <address>",
          help: "Listen on this address; or use --web.listen-address",
          shorthand: true,
        },
        "127.0.0.1",
      ),
    ),
  }
}

export interface Listening {
  readonly addresses: readonly Address[]
  /** That chooses them, for the message where one is not available. */
  readonly flag: string
}

type ListeningValues = Pick<Values<ReturnType<typeof webSettingsWithPort>>, "webListenAddress" | "port" | "interface">

/** Throws UsageError where both kinds of flags name an address, or one is none. */
export function listeningOf({ webListenAddress, port, interface: host }: ListeningValues): Listening {
  if (port.isDefault && host.isDefault) return { addresses: webListenAddress.value, flag: "--web.listen-address" }
  const faults = new Faults()
  const given = [port, host].filter(({ isDefault }) => !isDefault).map(({ source }) => source)
  if (!webListenAddress.isDefault) {
    faults.add(given.join(", "), `is set beside ${webListenAddress.source}; set only one of the two`)
  }
  const name = host.value.trim()
  const address = listenAddress(`${/^[^[].*:/.test(name) ? `[${name}]` : name}:${port.value}`)
  if (address instanceof Wrong) faults.add(host.source, "must be an address such as 127.0.0.1, :: or 0.0.0.0")
  faults.orThrow(UsageError)
  return { addresses: address instanceof Wrong ? [] : [address], flag: given[0] ?? "--port" }
}

/** Whether others than this machine can reach one of the addresses. */
export const isReachable = ({ addresses }: Pick<Listening, "addresses">): boolean =>
  addresses.some(({ host }) => !/^(?:127\.|localhost$|::1$|::ffff:127\.)/i.test(host))

/** Throws UsageError where the address for administration takes the port of another one: the message of the system would blame another process. */
export function requireApart(addresses: readonly Address[], admin: Address): void {
  const all = (host: string): boolean => ["", "0.0.0.0", "::"].includes(host)
  const shares = ({ host, port }: Address): boolean =>
    port !== 0 && port === admin.port && (host === admin.host || all(host) || all(admin.host))
  if (!addresses.some(shares)) return
  const faults = new Faults()
  faults.add("--admin.listen-address", `has port ${admin.port}, as --web.listen-address has; give it one of its own`)
  faults.orThrow(UsageError)
}
