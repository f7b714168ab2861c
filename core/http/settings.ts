import { listenAddress, setting, settings, type Values } from "#core/config/settings.ts"

const GROUP = "Web server"

/** The flags of every component that listens. */
export const webSettings = (defaultAddress: string) => ({
  webListenAddress: settings(
    listenAddress,
    { group: GROUP, flag: "--web.listen-address <host:port>", help: "Listen on this address; may be repeated" },
    [defaultAddress],
  ),
  webConfigFile: setting((file) => file || undefined, {
    group: GROUP,
    flag: "--web.config.file <file>",
    help: "Read TLS, client certificates and users from this file, in the format of Prometheus' exporter-toolkit",
  }),
})

export type WebValues = Values<ReturnType<typeof webSettings>>
