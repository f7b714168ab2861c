import { between, duration, inGroup, listenAddress, setting, size, text, whole } from "#core/config/settings.ts"
import { webSettingsWithPort } from "#core/http/settings.ts"
import { forwardSettings } from "./forward/settings.ts"
import { routingSettings } from "./routing/settings.ts"

export const DEFAULT_PORT = 19_093

const bytes = between(size, 2 ** 20, 2 ** 40, "from 1MiB to 1024GiB")

export const tenancyProxySettings = {
  ...inGroup("Who may write", {
    sendersFile: setting(text, {
      flag: "--senders <file>",
      help: "Accept only the senders in this file, with their tokens, certificates, labels and limits; read again when it changes",
    }),
    sitesFile: setting(text, {
      flag: "--sites <file>",
      help: "Accept the sites of this sites.yaml that have push, with their tokens, labels and selectors; read again when it changes",
    }),
  }),
  ...routingSettings,
  ...forwardSettings,
  ...inGroup("Limits", {
    contentLength: setting(
      between(size, 1024, 2 ** 32 - 1, "from 1KiB to below 4GiB"),
      { flag: "--content-length-limit <size>", help: "Refuse (413) a body with more bytes than this, compressed" },
      "100MiB",
    ),
    decodedBytes: setting(
      between(size, 1024, 2 ** 30, "from 1KiB to 1GiB"),
      {
        flag: "--limit.decoded-bytes <size>",
        help: "Refuse (400) a body with more bytes uncompressed; Prometheus and others accept 32MiB",
      },
      "32MiB",
    ),
    bytesInFlight: setting(
      bytes,
      {
        flag: "--limit.bytes-in-flight <size>",
        help: "Refuse (503) requests while those in flight have more bytes, compressed and uncompressed",
      },
      "256MiB",
    ),
    senderBytesInFlight: setting(
      bytes,
      { flag: "--limit.sender-bytes-in-flight <size>", help: "The same for the requests of one sender" },
      "128MiB",
    ),
    limitedTime: setting(
      duration(1),
      {
        flag: "--limit.retry-time <duration>",
        help: "Respond with 400, not 429, to a request whose tenant has been limited for so long: a limit that never passes stops a sender",
      },
      "10m",
    ),
    resendTime: setting(
      duration(1),
      {
        flag: "--limit.resend-time <duration>",
        help: "Remember so long which tenants have accepted a request that is to be resent",
      },
      "15m",
    ),
    resendBytes: setting(
      bytes,
      { flag: "--limit.resend-bytes <size>", help: "Memory for what is remembered" },
      "16MiB",
    ),
  }),
  ...inGroup("Web server", {
    workers: setting(
      whole(1, 256),
      { flag: "--workers <number>", help: "Use so many threads, each about a core; they share limits and metrics" },
      "1",
    ),
    ...webSettingsWithPort(DEFAULT_PORT),
    adminListenAddress: setting(listenAddress, {
      flag: "--admin.listen-address <host:port>",
      help: "Serve /metrics and health on this address only, not where requests are received",
    }),
  }),
}
