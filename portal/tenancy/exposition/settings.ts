import { inGroup, listenAddress, setting, text } from "#core/config/settings.ts"
import { webSettings } from "#core/http/settings.ts"

export const expositionSettings = {
  ...inGroup("Who may read what", {
    tenants: setting(
      text,
      {
        flag: "--tenants <file>",
        help: "Read clients, their tenants, tokens and limits from this file, again whenever it changes",
      },
      "tenants.yaml",
    ),
  }),
  ...inGroup("Web server", {
    ...webSettings("127.0.0.1:19094", false),
    adminListenAddress: setting(
      listenAddress,
      {
        flag: "--admin.listen-address <host:port>",
        help: "Serve this component's own /metrics and health on this address, which is not for clients",
      },
      "127.0.0.1:19095",
    ),
  }),
}
