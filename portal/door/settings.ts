import { httpUrl, inGroup, listenAddress, on, setting, type Values } from "#core/config/settings.ts"

export const doorSettings = inGroup("Passing through", {
  passthrough: setting(
    on,
    {
      flag: "--web.passthrough <true|false>",
      help: "Pass Prometheus through below /prometheus/, where that is the path of --prometheus.url, and Grafana",
    },
    "true",
  ),
  passthroughAddress: setting(listenAddress, {
    flag: "--web.passthrough-address <host:port>",
    help: "Pass both through on this address, which browsers keep apart from the page, in place of the page's",
  }),
  prometheusExternalUrl: setting(httpUrl, {
    flag: "--prometheus.external-url <url>",
    help: "Link the page to Prometheus by this URL, by which users reach it, in place of /prometheus/",
  }),
  grafanaUrl: setting(httpUrl, {
    flag: "--grafana.url <url>",
    help: "Pass the Grafana at this URL through, whose path is /grafana/",
  }),
  grafanaExternalUrl: setting(httpUrl, {
    flag: "--grafana.external-url <url>",
    help: "Link the page to Grafana by this URL, by which users reach it, in place of /grafana/",
  }),
})

export type DoorSettings = Values<typeof doorSettings>
